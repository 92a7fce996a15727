"""What is installed outlives its upgrades, and goes when it is uninstalled."""

import pytest

from tests.deploy.tools import HELM
from tests.e2e.conftest import kubernetes_version
from tests.e2e.control_plane import ControlPlane
from tests.e2e.releases import CA_BUNDLE, CONFIGURATIONS, KEYS, WAYS, Release

# Helm is built once, in minutes.
pytestmark = pytest.mark.timeout(1200)

KINDS = "all,secrets,configmaps,serviceaccounts,networkpolicies,poddisruptionbudgets,resourcequotas,roles,rolebindings"


@pytest.fixture(scope="module")
def cluster(request):
    """One of its own: other tests' pods would be sent to webhooks that nobody answers for."""
    with ControlPlane(version=kubernetes_version(request.config)) as started:
        yield started


@pytest.fixture(scope="module", params=WAYS)
def release(request, cluster):
    made = Release(cluster, request.param)
    made.install()
    yield made
    made.remove_webhooks()


def test_an_upgrade_changes_what_it_should_and_leaves_the_keys_and_the_authority(release):
    release.write_as_hardener()
    release.upgrade({"replicas": 3, "webhook": {"timeoutSeconds": 3}})

    assert release.keys() == KEYS
    assert [webhook["clientConfig"].get("caBundle") for webhook in release.webhooks()] == [CA_BUNDLE] * 2
    assert [webhook["timeoutSeconds"] for webhook in release.webhooks()] == [3, 3]
    assert release.get("deployment", release.name)["spec"]["replicas"] == 3


def test_a_secret_that_hardener_has_made_anew_is_taken_for_the_chart_s_own(release):
    release.cluster.kubectl("delete", "secret", release.secret, "--namespace", release.namespace)
    release.make_secret_as_hardener()
    release.upgrade({"webhook": {"timeoutSeconds": 4}})

    assert release.keys() == KEYS
    assert [webhook["timeoutSeconds"] for webhook in release.webhooks()] == [4, 4]


@pytest.mark.parametrize("major", HELM)
def test_helm_says_how_to_go_on_and_takes_everything_away_again(cluster, major):
    release = Release(cluster, f"helm {major}", name="gone")
    said = release.install()
    release.uninstall()

    assert "kubectl label namespace shop hardener.dev/policy=compatible" in said
    label = f"app.kubernetes.io/instance={release.name}"
    # Pods and ReplicaSets go after their Deployment.
    owned = ("pod/", "replicaset.apps/")
    left = cluster.kubectl(
        "get", KINDS, "--namespace", release.namespace, f"--selector={label}", "--output=name"
    ).stdout.split()
    assert [name for name in left if not name.startswith(owned)] == []
    for kind in (*CONFIGURATIONS, "clusterrole", "clusterrolebinding"):
        assert cluster.kubectl("get", kind, f"--selector={label}", "--output=name").stdout == ""
