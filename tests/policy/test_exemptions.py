"""What a configuration exempts, and which line says so."""

import pytest

from hardener.engine import harden
from hardener.model import STANDALONE, Mode
from hardener.policy.config import Config
from tests.pods import TODAY, pod, where
from tests.policy.configs import read

MESH = """
exempt:
  runtimeClasses: [gvisor]
  priorityClasses: [system-node-critical, gvisor]
  containers:
  - {name: istio-proxy, image: "docker.io/istio/proxyv2:*"}
  - name: linkerd-proxy
    image: cr.l5d.io/linkerd/proxy:*
  - {name: istio-proxy, image: "registry.example.com:5000/*/proxyv2:*"}
"""


def found(config: Config, text: str) -> list[tuple[str, str, str]]:
    """Who is exempt in a pod, by which key, in which line."""
    exemptions = config.default.exempt
    assert exemptions is not None
    return [(where(each.at), each.key, each.place) for each in exemptions.find(pod(text))]


@pytest.mark.parametrize(
    ("name", "image", "line"),
    [
        ("istio-proxy", "istio/proxyv2", "0"),
        ("istio-proxy", "istio/proxyv2:1.29.1", "0"),
        ("istio-proxy", "docker.io/istio/proxyv2:1.29.1", "0"),
        ("istio-proxy", "index.docker.io/istio/proxyv2:1", "0"),
        ("linkerd-proxy", "cr.l5d.io/linkerd/proxy:edge-26.1.1", "1"),
        ("istio-proxy", "registry.example.com:5000/mirror/proxyv2:1", "2"),
        ("istio-proxy", "registry.example.com:5000/proxyv2:1", None),
        ("istio-proxy", "registry.example.com/mirror/proxyv2:1", None),
        ("istio-proxy", "evil/proxyv2:1", None),
        ("istio-proxy", "cr.l5d.io/linkerd/proxy:1", None),
        ("linkerd-proxy", "istio/proxyv2:1", None),
        ("istio-proxy2", "istio/proxyv2:1", None),
        ("Istio-Proxy", "istio/proxyv2:1", None),
        ("app", "istio/proxyv2:1", None),
        ("istio-proxy", "", None),
        ("istio-proxy", "istio/Proxyv2:1", None),
    ],
)
def test_a_container_is_exempt_by_name_and_image_together(name, image, line):
    spec = f'{{spec: {{containers: [{{name: app, image: x}}, {{name: {name}, image: "{image}"}}]}}}}'

    keys = [(at, key) for at, key, _ in found(read(MESH), spec)]

    assert keys == ([(name, f"exempt.containers[{line}]")] if line else [])


def test_the_line_is_the_one_in_which_the_item_begins():
    assert found(read(MESH), "{spec: {containers: [{name: linkerd-proxy, image: cr.l5d.io/linkerd/proxy:1}]}}") == [
        ("linkerd-proxy", "exempt.containers[1]", "config.yaml:8")
    ]


def test_init_containers_and_native_sidecars_are_exempt_as_others_are():
    spec = """
        spec:
          containers: [{name: app, image: x}]
          initContainers:
          - {name: istio-proxy, image: istio/proxyv2, restartPolicy: Always}
          - {name: istio-init, image: istio/proxyv2}
        """

    assert found(read(MESH), spec) == [("istio-proxy", "exempt.containers[0]", "config.yaml:7")]


@pytest.mark.parametrize(
    ("classes", "key", "line"),
    [
        ("runtimeClassName: gvisor", "exempt.runtimeClasses[0]", 4),
        ("priorityClassName: system-node-critical", "exempt.priorityClasses[0]", 5),
        ("priorityClassName: gvisor", "exempt.priorityClasses[1]", 5),
        ("runtimeClassName: gvisor, priorityClassName: gvisor", "exempt.runtimeClasses[0]", 4),
    ],
)
def test_a_class_exempts_the_pod_as_a_whole(classes, key, line):
    spec = f"{{spec: {{{classes}, containers: [{{name: istio-proxy, image: istio/proxyv2}}]}}}}"

    assert found(read(MESH), spec) == [("pod", key, f"config.yaml:{line}")]


@pytest.mark.parametrize(
    "classes",
    ["runtimeClassName: system-node-critical", "priorityClassName: system-cluster-critical", "priorityClassName: ''"],
)
def test_other_classes_exempt_nothing(classes):
    assert found(read(MESH), f"{{spec: {{{classes}, containers: [{{name: app, image: x}}]}}}}") == []


def test_users_are_found_by_name_and_then_by_group_with_the_first_line_that_names_them():
    config = read("""
        exempt:
          usernames:
          - system:serviceaccount:ci:builder
          - system:serviceaccount:ci:builder
          groups: [admins, operators]
        """)
    assert config.exempt_users is not None

    def line(username, *groups):
        found_line = config.exempt_users.find(username, groups)
        return found_line and (found_line.key, found_line.place)

    assert line("system:serviceaccount:ci:builder", "admins") == ("exempt.usernames[0]", "config.yaml:5")
    assert line("alice", "people", "operators", "admins") == ("exempt.groups[1]", "config.yaml:7")
    assert line("alice", "people") is None
    assert line("admins") is None
    assert line("system:serviceaccount:ci") is None
    assert line("", "") is None


def test_exemptions_are_in_every_policy_and_users_in_none():
    config = read(f"policies: {{ours: {{}}}}\n{MESH}\n  usernames: [alice]\n")

    assert config.exempt_users is not None
    exemptions = config.default.exempt
    assert exemptions is not None
    assert all(policy.exempt is exemptions for policy in (*config.policies.values(), *config.dry_run.values()))
    assert "alice" not in {text for _, text in exemptions.lines()}


@pytest.mark.parametrize("body", ["", "exempt:", "exempt: {}", "exempt: {usernames: [], containers: []}"])
def test_where_nothing_is_exempt_nothing_is_looked_for(body):
    config = read(body)

    assert config.exempt_users is None
    assert config.default.exempt is None


def test_an_exempt_container_is_left_alone_and_its_neighbours_are_not():
    outcome = harden(
        pod("{spec: {containers: [{name: app, image: x}, {name: istio-proxy, image: istio/proxyv2}]}}"),
        read(MESH).default,
        STANDALONE,
        TODAY,
    )

    touched = {where(write.at) for write in outcome.writes(Mode.ENFORCE)}
    assert touched == {"app", "pod"}
    assert [where(each.at) for each in outcome.exempt] == ["istio-proxy"]


def test_every_line_can_be_listed_in_the_order_of_the_file():
    config = read(MESH)

    assert [(line.key, text) for line, text in config.default.exempt.lines()] == [
        ("exempt.runtimeClasses[0]", "gvisor"),
        ("exempt.priorityClasses[0]", "system-node-critical"),
        ("exempt.priorityClasses[1]", "gvisor"),
        ("exempt.containers[0]", "istio-proxy, docker.io/istio/proxyv2:*"),
        ("exempt.containers[1]", "linkerd-proxy, cr.l5d.io/linkerd/proxy:*"),
        ("exempt.containers[2]", "istio-proxy, registry.example.com:5000/*/proxyv2:*"),
    ]
