"""What is in the image, and what is not."""

import re
import sys
from pathlib import PurePosixPath

import pytest
from packaging.utils import canonicalize_name

from hardener import __version__
from tests.image.locks import ROOT, versions_here

USER = 65532
MOST_BYTES = 210_000_000
"""What the files of the image may take: 197 MB, and some to spare."""

TIME = 1580601600
"""The Dockerfile's SOURCE_DATE_EPOCH."""

COMMANDS = {f"/opt/hardener/bin/{name}" for name in ("hardener", "kubectl-hardener", "kubectl_complete-hardener")}

NEVER_COMPILED = re.compile(r"/kubernetes/(aio/)?client/(api|models)/")
CHECKED_NEVER = b"\x01\x00\x00\x00"
"""The flags of a compiled module after its magic number (PEP 552): by hash, and not checked."""

_DISTRIBUTION = re.compile(r"/opt/hardener/lib/[^/]+/site-packages/([^/]+)-([^/-]+)\.dist-info")


def site(image):
    return next(path for path in image.entries if path.endswith("/site-packages"))


def distributions(image):
    found = filter(None, map(_DISTRIBUTION.fullmatch, image.entries))
    return {canonicalize_name(each[1]): each[2] for each in found}


def test_it_is_small(image, capsys):
    with capsys.disabled():
        sys.stderr.write(f"\nthe image holds {image.size / 1e6:.1f} MB in {len(image.entries)} files\n")

    assert image.size < MOST_BYTES


def test_it_runs_hardener_without_a_shell_as_a_user_with_a_number(image):
    assert image.config["User"] == f"{USER}:{USER}"
    assert image.config["Entrypoint"] == ["hardener"]
    assert image.config["Cmd"] == ["serve"]


def test_its_labels_say_what_it_is(image):
    labels = {name.rpartition(".")[2]: text for name, text in image.config["Labels"].items()}

    assert labels["title"] == "hardener"
    assert labels["licenses"] == "Apache-2.0"
    assert labels["name"].startswith("localhost/base:")


def test_everything_in_it_belongs_to_root_and_only_root_can_write_it(image):
    others = {
        path: (entry.uid, entry.gid, oct(entry.mode))
        for path, entry in image.entries.items()
        if entry.uid or entry.gid or (entry.mode & 0o022 and not entry.issym())
    }

    assert others == {}


def test_nothing_in_it_gives_rights_to_whom_runs_it(image):
    privileged = [
        path
        for path, entry in image.entries.items()
        if entry.mode & 0o7000 or any("capability" in name for name in entry.pax_headers)
    ]

    assert privileged == []


def test_it_holds_files_folders_and_links_only(image):
    assert [
        path for path, entry in image.entries.items() if not (entry.isfile() or entry.isdir() or entry.issym())
    ] == []


def test_its_programs_are_python_and_hardener(image):
    folders = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/opt/hardener/bin/")
    programs = {path for path, entry in image.entries.items() if path.startswith(folders) and entry.isfile()}
    python = {path for path in programs if re.fullmatch(r"/usr/(local/)?bin/python3\.\d+", path)}

    assert len(python) == 1
    assert programs == python | COMMANDS


@pytest.mark.parametrize("name", ["pip", "setuptools", "ensurepip", "pip.conf", "run", "tmp", "build"])
def test_what_only_the_build_needs_is_left_behind(image, name):
    assert [path for path in image.entries if name in PurePosixPath(path).parts] == []


def test_it_holds_the_locked_versions_and_this_one_of_hardener(image):
    assert distributions(image) == {**versions_here("run"), "hardener": __version__}


def test_it_holds_the_modules_of_the_checkout(image):
    inside = {
        path: image.entries[path].size
        for path in image.entries
        if path.startswith(f"{site(image)}/hardener/") and path.endswith(".py")
    }
    outside = {
        f"{site(image)}/{path.relative_to(ROOT)}": path.stat().st_size for path in (ROOT / "hardener").rglob("*.py")
    }

    assert inside == outside


def test_every_module_is_compiled_but_those_that_are_never_loaded(image):
    """Nobody can write the bytecode later."""
    modules = [PurePosixPath(path) for path in image.entries if path.endswith(".py")]
    compiled = {
        (path.parent.parent, path.name.partition(".")[0])
        for path in map(PurePosixPath, image.entries)
        if path.suffix == ".pyc"
    }
    missing = [str(path) for path in modules if (path.parent, path.stem) not in compiled]

    assert [path for path in missing if not NEVER_COMPILED.search(path)] == []
    assert [path for path in missing if NEVER_COMPILED.search(path)] != []


def test_bytecode_counts_whatever_the_times_of_its_source_are(image):
    (path,) = (path for path in image.entries if re.search(r"/hardener/__pycache__/engine\..*\.pyc$", path))

    assert image.read(path)[4:8] == CHECKED_NEVER


def test_every_file_has_the_time_that_it_was_told(image):
    assert {entry.mtime for entry in image.entries.values()} == {TIME}


def test_another_commit_changes_the_last_layer_only(image):
    *lower, last = image.layers.values()

    assert [entry.name for layer in lower for entry in layer if "/site-packages/hardener" in entry.name] == []
    assert sum(entry.size for entry in last) < image.size / 50


def test_scanners_find_the_debian_packages_of_its_libraries(image):
    folder = "/var/lib/dpkg/status.d/"
    packages = {path.removeprefix(folder) for path in image.entries if path.startswith(folder)}

    assert {"libc6", "libssl3", "zlib1g"} <= packages
    for name in packages:
        lines = image.read(f"{folder}{name}").decode().splitlines()
        assert lines[0] == f"Package: {name}"
        assert "Status: install ok installed" in lines
        assert f"/usr/share/doc/{name}" in image.entries


def test_the_bill_of_materials_lists_what_is_in_it(image, built):
    bill = built.bill_of_materials
    listed = {canonicalize_name(each["name"]): each["version"] for each in bill["components"]}
    (whole,) = (
        each["dependsOn"] for each in bill["dependencies"] if each["ref"] == bill["metadata"]["component"]["bom-ref"]
    )

    assert (bill["bomFormat"], bill["metadata"]["component"]["version"]) == ("CycloneDX", __version__)
    assert {**listed, "hardener": __version__} == distributions(image)
    assert whole != []
