"""A machine without what the end-to-end tests need is told so in one line, before any test."""

import os
import subprocess
import sys

import pytest

from tests.e2e.binaries import CONTROL_PLANE, OLDEST, VERSION, MissingError, binaries, cache
from tests.e2e.documents import ROOT, Documents


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)


def test_without_go_one_line_says_what_to_install(empty_cache, tmp_path):
    environment = {**os.environ, "PATH": "/nowhere"}
    command = [sys.executable, "-m", "pytest", "tests/e2e", "--no-node", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert (done.stdout + done.stderr).strip().splitlines() == [
        f"ERROR: no etcd, kube-apiserver, kube-controller-manager, kubectl of Kubernetes {VERSION} in "
        f"{tmp_path}/hardener/kubernetes/{VERSION}: install Go (https://go.dev/dl) to have them built, "
        "or set KUBEBUILDER_ASSETS to a folder that holds them"
    ]


def test_a_build_that_fails_is_told_in_go_s_own_words(empty_cache, monkeypatch):
    monkeypatch.setenv("GOPROXY", "off")
    with pytest.raises(MissingError, match=r"^go mod download failed: .+$") as raised:
        binaries("1.36.99", CONTROL_PLANE)

    assert "\n" not in str(raised.value)


def test_the_assets_of_envtest_are_used_and_completed(monkeypatch, tmp_path):
    built = cache() / VERSION
    assets = tmp_path / "assets"
    kept = tmp_path / "cache" / "hardener" / "kubernetes"
    assets.mkdir()
    kept.mkdir(parents=True)
    (kept / VERSION).symlink_to(built)
    for name in ("etcd", "kube-apiserver", "kubectl"):
        (assets / name).symlink_to(built / name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))

    folder = binaries(VERSION, CONTROL_PLANE)

    assert (folder / "kube-apiserver").readlink() == assets / "kube-apiserver"
    assert (folder / "kube-controller-manager").readlink() == kept / VERSION / "kube-controller-manager"
    assert binaries(VERSION, ("etcd", "kubectl")) == assets


def test_a_wrong_folder_of_assets_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(MissingError, match=f"KUBEBUILDER_ASSETS is {tmp_path}, where there is no kube-apiserver"):
        binaries(VERSION, CONTROL_PLANE)


def test_the_supported_versions_are_those_that_are_tested():
    page = " ".join((ROOT / "docs" / "operations.md").read_text(encoding="utf-8").split())
    oldest, newest = (version.rpartition(".")[0] for version in (OLDEST, VERSION))

    assert f"Kubernetes {oldest} to {newest}." in page
    assert f"a real node of {VERSION}," in page
    assert f"the controllers of {OLDEST}." in page


def test_a_page_that_says_something_else_fails_the_run_unless_it_is_to_be_written(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures -->\n1\n<!-- end figures -->\nafter\n", encoding="utf-8")

    Documents(write=False, root=tmp_path).show("page.md", "1", part="figures")
    with pytest.raises(AssertionError, match="make e2e ARGS=--write-docs"):
        Documents(write=False, root=tmp_path).show("page.md", "2", part="figures")
    Documents(write=True, root=tmp_path).show("page.md", "2", part="figures")

    assert page.read_text(encoding="utf-8") == "before\n<!-- figures -->\n2\n<!-- end figures -->\nafter\n"
    with pytest.raises(AssertionError, match="needs the lines <!-- others -->"):
        Documents(write=True, root=tmp_path).show("page.md", "2", part="others")
