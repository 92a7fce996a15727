"""Hypothesis strategies for containers: every field that a control reads, in every way that the API lets it be said.

Values come from small pools, so that they meet: paths that are one path, names that are doubled, volumes named like ours.
"""

from typing import Any

from hypothesis import strategies as st

from tests.pod_json import TOKEN_FOLDER, Json
from tests.pods import run

CONTAINER_NAMES = ("app", "web", "x" * 63, "")

IMAGES = {
    "web:1": "docker.io/library/web:1",
    "web": "docker.io/library/web:latest",
    "docker.io/mesh/proxy:1.2": "docker.io/mesh/proxy:1.2",
    "mesh/proxy@sha256:0a": "docker.io/mesh/proxy@sha256:0a",
    "registry.example/mesh/proxy:1": "registry.example/mesh/proxy:1",
    "docker.io/mesh/proxy/evil:1": "docker.io/mesh/proxy/evil:1",
    "": "",
}
"""Names of images, and what the container runtimes read them as."""


def _our_volume_names() -> list[str]:
    """The names that volumes of ours would have in these containers."""
    containers = [{"name": name, "image": "i"} for name in CONTAINER_NAMES]
    volumes = run({"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": containers}}).volumes()
    return [volume["name"] for volume in volumes]


PATHS = (
    *("/tmp", "tmp", "//tmp/", "/./tmp", "/var/../tmp", "/tmp/cache", "/tmp/run.sh", "/tmp/a/../b", "/tmpfs", "/"),
    *("/var", "/var/cache", "var/cache/", "/var/cache/app", "/run", "/data", "", "/dev/termination-log"),
    *(TOKEN_FOLDER, f"{TOKEN_FOLDER}/", "/var/run/secrets"),
)
WORDS = (*PATHS, "sh", "-c", "run.sh", "./run.sh", "tmp/run.sh", "../tmp/run.sh", "ls /tmp", "/usr/bin/env")
VOLUME_NAMES = (
    "data",
    "cache",
    "kube-api-access-x7k2p",
    "kube-api-access-data",
    "hardener-cache",
    *_our_volume_names(),
)
CAPABILITIES = (
    "ALL",
    "all",
    "CAP_ALL",
    "SYS_ADMIN",
    "CAP_SYS_ADMIN",
    "cap_sys_admin",
    "NET_RAW",
    "NET_BIND_SERVICE",
    "",
)
QUANTITIES = (
    *(
        "0",
        "1",
        "100m",
        "0.1",
        ".5",
        "1.",
        "64Mi",
        "1Gi",
        "2Gi",
        "1E",
        "1E3",
        "1e3",
        "5E-1",
        "128M",
        "1Ki",
        "1Pi",
        "7u",
    ),
    *(1, 0.5, 0, None, "9n", "+1", "1k", "-1", "12345678901234567890"),
)
RESOURCE_NAMES = ("cpu", "memory", "ephemeral-storage", "hugepages-2Mi", "nvidia.com/gpu")


def partial(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """An object of which each field may be absent, given or, seldom, null."""
    return st.fixed_dictionaries(
        {}, optional={key: st.one_of(*[value] * 5, st.none()) for key, value in fields.items()}
    )


def few(elements: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(elements, max_size=most)


paths = st.sampled_from(PATHS)
words = few(st.sampled_from(WORDS) | st.none())
volume_names = st.sampled_from(VOLUME_NAMES)
users = st.sampled_from([0, 1000, -1, 2**31])
flags = st.booleans()
rarely = st.sampled_from([False, False, False, False, True])
probes = partial(exec=partial(command=words))
quantities = st.dictionaries(st.sampled_from(RESOURCE_NAMES), st.sampled_from(QUANTITIES), max_size=3)
resources = partial(requests=quantities, limits=quantities, claims=few(st.just({"name": "gpu"}), 1))
seccomp = partial(
    type=st.sampled_from(["RuntimeDefault", "Localhost", "Unconfined", "Other"]), localhostProfile=st.just("p.json")
)
windows_options = partial(runAsUserName=st.sampled_from(["ContainerAdministrator", "ContainerUser"]), hostProcess=flags)
capability_lists = few(st.sampled_from(CAPABILITIES) | st.none())

container_security = partial(
    privileged=rarely,
    runAsUser=users,
    runAsNonRoot=flags,
    allowPrivilegeEscalation=flags,
    readOnlyRootFilesystem=flags,
    procMount=st.just("Unmasked"),
    capabilities=partial(add=capability_lists, drop=capability_lists),
    seccompProfile=seccomp,
)
rarely_windows_security = st.one_of(*[container_security] * 9, partial(windowsOptions=windows_options, runAsUser=users))

mounts = st.builds(
    lambda name, path, more: {"name": name, "mountPath": path, **more},
    volume_names | st.none(),
    paths | st.none(),
    partial(subPath=st.just("a"), subPathExpr=st.just("$(A)"), readOnly=flags),
)
token_mounts = st.builds(lambda name: {"name": name, "mountPath": TOKEN_FOLDER, "readOnly": True}, volume_names)
variables = st.builds(
    lambda name: {"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": name, "path": "p", "key": "k"}}}, volume_names
)

SHARP: tuple[Json, ...] = (
    {"securityContext": {"privileged": True}},
    {"securityContext": {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}},
    {"securityContext": {"capabilities": {"add": ["NET_RAW", "all"]}}},
    {"securityContext": {"capabilities": {"add": ["NET_RAW"], "drop": ["all"]}}},
    {"securityContext": {"runAsUser": 0}},
    {"securityContext": {"runAsUser": 1000}},
    {"securityContext": {"readOnlyRootFilesystem": False}},
    {"securityContext": {"allowPrivilegeEscalation": True, "seccompProfile": {"type": "Unconfined"}}},
    {
        "securityContext": {
            "runAsNonRoot": False,
            "readOnlyRootFilesystem": False,
            "allowPrivilegeEscalation": True,
            "seccompProfile": {"type": "Unconfined"},
        }
    },
    {"command": ["/tmp/run.sh"]},
    {"workingDir": "/tmp/build"},
    {"terminationMessagePath": "/tmp"},
    {"volumeMounts": [{"name": "data", "mountPath": "/var/../tmp"}]},
    {"volumeMounts": [{"name": "kube-api-access-x7k2p", "mountPath": "/token"}]},
    {
        "env": [
            {"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": "kube-api-access-x7k2p", "path": "p", "key": "k"}}}
        ]
    },
    {"resources": {"requests": {"memory": "2Gi"}}},
    {"resources": {"limits": {"nvidia.com/gpu": 1}}},
)
"""What a control must hold back for, alone in its container, so that nothing else holds it back."""

containers = st.builds(
    lambda name, image, fields: {"image": image, **fields, "name": name},
    st.one_of(*[st.sampled_from(CONTAINER_NAMES)] * 5, st.none()),
    st.sampled_from(["web:1"] * 3 + ["docker.io/mesh/proxy:1.2"] * 2 + list(IMAGES)),
    st.sampled_from(SHARP)
    | partial(
        securityContext=rarely_windows_security,
        volumeMounts=few(mounts | token_mounts),
        volumeDevices=few(st.builds(lambda name, path: {"name": name, "devicePath": path}, volume_names, paths), 1),
        env=few(st.one_of(variables, st.just({"name": "B", "value": "b"})), 1),
        command=words,
        args=words,
        workingDir=paths,
        terminationMessagePath=paths,
        livenessProbe=probes,
        readinessProbe=probes,
        startupProbe=probes,
        lifecycle=partial(postStart=probes, preStop=probes),
        resources=resources,
        restartPolicy=st.sampled_from(["Always", "Never"]),
    ),
)

sharp_containers = st.builds(
    lambda name, image, fields: {"image": image, **fields, "name": name},
    st.sampled_from(CONTAINER_NAMES[:2]),
    st.sampled_from(list(IMAGES)[:3]),
    st.sampled_from(({}, *SHARP)),
)
"""Containers of few choices, so that many of them are tried beside each other."""
