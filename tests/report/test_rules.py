"""What points to a change that a workload may not bear; every rule with what it finds, and with what it leaves alone."""

import json

import pytest

from hardener.report import rules
from hardener.report.rules import RULES
from tests.report.findings import assess

USER = "securityContext: {runAsUser: 1000}"
NODE = "volumes: [{name: v, hostPath: {path: /var/log}}]"
HARDEN_AGENTS = "default: p\npolicies: {p: {hostAgents: harden}}"


def risks(container, pod="", status="{}", config="default: standard"):
    """The reasons by control, of a pod with one container."""
    finding = assess(
        f"{{spec: {{{pod}{', ' if pod else ''}containers: [{{name: app, {container}}}]}}, status: {status}}}", config
    )
    found = {}
    for risk in finding.risks:
        assert risk.container == "app"
        found.setdefault(risk.control, []).append(risk.reason)
    return found


def status(**fields):
    return json.dumps({"containerStatuses": [{"name": "app", **fields}]})


def of(control, needle, *arguments, **keywords):
    return [reason for reason in risks(*arguments, **keywords).get(control, []) if needle in reason]


FOUND = {
    "unknown_user": [
        ("runAsNonRoot", "nothing says which user", "image: a", {}),
        ("runAsNonRoot", "runs as user 0 now", "image: a", {"status": status(user={"linux": {"uid": 0}})}),
        ("runAsNonRoot", "runs as user 101 now", "image: a", {"status": status(user={"linux": {"uid": 101}})}),
    ],
    "writes_to_the_node": [
        (
            "capabilities",
            "`/var/log` of the node",
            "volumeMounts: [{name: v, mountPath: /l}]",
            {"pod": NODE, "config": HARDEN_AGENTS},
        ),
        (
            "runAsNonRoot",
            "`/var/log` of the node",
            "volumeMounts: [{name: v, mountPath: /l}]",
            {"pod": NODE, "config": HARDEN_AGENTS},
        ),
    ],
    "writes_to_its_image": [
        ("readOnlyRootFilesystem", "no volume of its own", "image: a", {}),
        (
            "readOnlyRootFilesystem",
            "no volume of its own",
            "volumeMounts: [{name: c, mountPath: /c}]",
            {"pod": "volumes: [{name: c, configMap: {name: c}}]"},
        ),
    ],
    "reads_from_a_hidden_folder": [
        ("readOnlyRootFilesystem", "names `/tmp/app.conf`", 'args: [run, "--config=/tmp/app.conf"]', {}),
        ("readOnlyRootFilesystem", "names `/tmp/x/y`", "env: [{name: DATA, value: /tmp/x/y}]", {}),
    ],
    "listens_on_a_low_port": [("capabilities", "port 80:", "ports: [{containerPort: 8080}, {containerPort: 80}]", {})],
    "calls_what_needs_capabilities": [
        ("capabilities", "chown, which takes CHOWN", 'command: [sh, -c, "chown -R 1000 /data"]', {}),
        ("capabilities", "SETUID and SETGID", "args: [gosu, app, serve]", {}),
        ("capabilities", "raw sockets", "command: [ping, host]", {}),
        ("capabilities", "CHOWN", "command: [chown], securityContext: {capabilities: {add: [SETUID]}}", {}),
    ],
    "calls_what_gains_privileges": [("allowPrivilegeEscalation", "speaks of sudo", "command: [sudo, run]", {})],
    "is_a_browser": [("seccompProfile", "speaks of chromium", "image: registry.example/chromium:1", {})],
    "reads_the_token": [
        ("automountServiceAccountToken", "token", "args: [/var/run/secrets/kubernetes.io/serviceaccount/token]", {}),
    ],
    "plans_for_more_memory": [
        ("resources", "4096 MiB", "command: [java, -Xmx4g]", {}),
        ("resources", "2048 MiB", 'env: [{name: NODE_OPTIONS, value: "--max-old-space-size=2048"}]', {}),
        ("resources", "3072 MiB", "env: [{name: GOMEMLIMIT, value: 3GiB}]", {}),
    ],
}

NOT_FOUND = {
    "unknown_user": [("runAsNonRoot", "user", USER, {}), ("runAsNonRoot", "user", "image: a", {"pod": USER})],
    "writes_to_the_node": [
        (
            "capabilities",
            "node",
            "volumeMounts: [{name: v, mountPath: /l, readOnly: true}]",
            {"pod": NODE, "config": HARDEN_AGENTS},
        ),
    ],
    "writes_to_its_image": [
        ("readOnlyRootFilesystem", "volume", USER, {}),
        ("readOnlyRootFilesystem", "volume", "image: a", {"status": status(user={"linux": {"uid": 101}})}),
        (
            "readOnlyRootFilesystem",
            "no volume",
            "volumeMounts: [{name: c, mountPath: /c}]",
            {"pod": "volumes: [{name: c, emptyDir: {}}]"},
        ),
    ],
    "reads_from_a_hidden_folder": [
        ("readOnlyRootFilesystem", "names", "args: [/tmp, /var/tmp/x, /tmpfs/x]", {}),
        (
            "readOnlyRootFilesystem",
            "names",
            'command: [sh, -c, "touch /tmp/healthy; date > /tmp/now; cat /tmp/now"]',
            {},
        ),
        ("readOnlyRootFilesystem", "names", "args: [--file=/tmp/x], volumeMounts: [{name: t, mountPath: /tmp}]", {}),
    ],
    "listens_on_a_low_port": [
        ("capabilities", "port", "ports: [{containerPort: 8080}]", {}),
        (
            "capabilities",
            "port",
            "ports: [{containerPort: 80}], securityContext: {capabilities: {add: [NET_BIND_SERVICE]}}",
            {},
        ),
        (
            "capabilities",
            "port",
            "ports: [{containerPort: 80}]",
            {"pod": 'securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "0"}]}'},
        ),
    ],
    "calls_what_needs_capabilities": [
        ("capabilities", "chown", "command: [chown], securityContext: {capabilities: {add: [CHOWN]}}", {}),
        ("capabilities", "speaks", "command: [superset, pinger, unchownable]", {}),
    ],
    "calls_what_gains_privileges": [("allowPrivilegeEscalation", "speaks", "command: [result, sum]", {})],
    "is_a_browser": [("seccompProfile", "speaks", "image: web", {})],
    "reads_the_token": [("automountServiceAccountToken", "token", "args: [/var/run/secrets/db]", {})],
    "plans_for_more_memory": [
        ("resources", "MiB", "command: [java, -Xmx512m]", {}),
        ("resources", "MiB", "command: [java, -Xmx4g], resources: {limits: {memory: 5Gi}}", {}),
    ],
}


def cases(table):
    return [
        pytest.param(*case, id=f"{rule}-{number}") for rule, rows in table.items() for number, case in enumerate(rows)
    ]


@pytest.mark.parametrize(("control", "words", "container", "more"), cases(FOUND))
def test_the_pattern_is_found(control, words, container, more):
    assert of(control, words, container, **more)


@pytest.mark.parametrize(("control", "words", "container", "more"), cases(NOT_FOUND))
def test_what_only_looks_like_it_is_left_alone(control, words, container, more):
    assert of(control, words, container, **more) == []


def test_every_rule_has_both_kinds_of_cases():
    names = {rule.__name__ for each in RULES.values() for rule in each}

    assert names == set(FOUND) == set(NOT_FOUND)
    assert all(getattr(rules, name).__doc__ for name in names)


def test_what_stands_beside_a_path_is_not_repeated():
    reasons = risks("args: ['--password=secret --config=/tmp/app.conf']")["readOnlyRootFilesystem"]

    assert "secret" not in " ".join(reasons)
    assert any("/tmp/app.conf" in reason for reason in reasons)


@pytest.mark.parametrize(
    "pod",
    [
        "{spec: {containers: [{name: app, ports: [{name: http}], env: [{}], command: [null]}]}}",
        "{spec: {containers: [{name: app, env: [{name: A}]}], volumes: [{name: v}], securityContext: {sysctls: null}}}",
    ],
)
def test_odd_shapes_point_to_nothing(pod):
    assert {risk.control for risk in assess(pod, "default: standard").risks} == {
        "runAsNonRoot",
        "readOnlyRootFilesystem",
    }
