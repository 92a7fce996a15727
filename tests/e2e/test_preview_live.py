"""`preview --kubeconfig` and `--config-from`: what a real cluster knows of its namespaces decides as it would there."""

import json
import os
import subprocess
import sys

import pytest

from tests.e2e.accounts import account
from tests.e2e.hardening import is_hardened
from tests.e2e.installation import Installation

CONFIG = """\
apiVersion: hardener.dev/v1
kind: HardenerConfig
namespaces:
- {matchLabels: {tier: strict}, policy: standard}
default: none
"""
POD = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "app", "image": "web:1"}]}}


@pytest.fixture(scope="module")
def installed(control_plane, tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    with Installation(control_plane, "live", folder, CONFIG, kubeconfig=control_plane.kubeconfig) as started:
        home = control_plane.make_namespace(prefix="config-")
        body = {"metadata": {"name": "hardener"}, "data": {"config.yaml": CONFIG}}
        assert control_plane.request("POST", f"/api/v1/namespaces/{home}/configmaps", body).status == 201
        started.home = home
        yield started


def preview(installed, namespace, *more, folder=None):
    """The one entry for a pod in a namespace, with the configuration of the cluster, or of a file in this folder."""
    named = {**POD, "metadata": {"name": "web", "namespace": namespace}}
    place = f"--config-from={installed.home}/hardener"
    if folder is not None:
        (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
        place = f"--config={folder / 'config.yaml'}"
    command = [sys.executable, "-m", "hardener", "preview", "-o", "json", place]
    done = subprocess.run(
        [*command, *more, "-"],
        input=json.dumps(named),
        env={**os.environ, "KUBECONFIG": str(installed.cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done, json.loads(done.stdout)[0]


def controls(entry):
    return {edit["control"] for edit in entry["edits"]}


def test_labels_of_the_cluster_choose_the_policy_and_the_limits_hold_what_they_would_refuse(installed):
    namespace = installed.namespace(tier="strict")
    limits = {"metadata": {"name": "limits"}, "spec": {"limits": [{"type": "Container", "max": {"memory": "16Mi"}}]}}
    path = f"/api/v1/namespaces/{namespace}/limitranges"
    assert installed.cluster.request("POST", path, limits).status == 201
    live = f"--kubeconfig={installed.cluster.kubeconfig}"

    told, entry = preview(installed, namespace, live)
    blind, unknown = preview(installed, namespace)

    assert (told.returncode, told.stderr, entry["policy"]) == (1, "", "standard")
    assert "limits.memory" not in str([edit["path"] for edit in entry["edits"] if edit["control"] == "resources"])
    assert {skip["control"] for skip in entry["skips"]} == {"resources"}
    assert (blind.returncode, unknown["policy"]) == (0, "none")
    made = installed.create(namespace, {**POD, "metadata": {"name": "web"}}, dry_run=True)
    assert (made.status, is_hardened(made.body)) == (201, True)


def test_a_namespace_that_the_cluster_does_not_have_gets_what_needs_no_labels(installed):
    done, entry = preview(installed, "nowhere", f"--kubeconfig={installed.cluster.kubeconfig}")

    assert (done.returncode, entry["policy"]) == (0, "none")


OF_A_NAMESPACE = {
    ("get", "namespaces"),
    *(("list", each) for each in ("limitranges", "resourcequotas", "serviceaccounts")),
}
"""What it may do in the namespaces that manifests name; a Role can give it, where no namespaces are to be listed."""


def test_only_the_namespaces_that_manifests_name_are_asked_for(installed, tmp_path):
    namespace = installed.namespace(tier="strict")
    done, entry = preview(
        installed,
        namespace,
        f"--kubeconfig={account(installed.cluster, 'namespaced', OF_A_NAMESPACE, tmp_path)}",
        folder=tmp_path,
    )

    assert (done.returncode, done.stderr, entry["policy"]) == (1, "", "standard")


def test_a_right_that_is_missing_is_told_once_and_the_rest_is_shown(installed, tmp_path):
    namespace = installed.namespace(tier="strict")
    rights = OF_A_NAMESPACE - {("list", "limitranges")}
    done, entry = preview(
        installed,
        namespace,
        f"--kubeconfig={account(installed.cluster, 'blind', rights, tmp_path)}",
        folder=tmp_path,
    )

    told = f"hardener: no right to list limitranges in namespace {namespace}: default resources are taken for held back"
    assert (done.returncode, done.stderr.splitlines()) == (2, [told])
    assert entry["policy"] == "standard"
    assert "resources" not in controls(entry)
