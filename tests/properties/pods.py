"""Hypothesis strategies for pods: every field that a control reads, in every way that the API lets it be said.

Values come from small pools, so that they meet: paths that are one path, names that are doubled, volumes named like ours.
"""

from typing import Any

from hypothesis import strategies as st

from hardener.controls import CATALOGUE
from tests.admission_chain import token_volume
from tests.pod_json import TOKEN_FOLDER, Json
from tests.pods import run

CONTAINER_NAMES = ("app", "web", "x" * 63, "")


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
OS_LABEL = "kubernetes.io/os"
DAYS = ("2026-11-22", "2026-11-21", "2026-12-24", "2099-01-01", "tomorrow", "", "2026-W48-1")
OPT_OUT_WORDS = (*CATALOGUE, "*", "runasnonroot", "capabilites", "", "all")


def partial(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """An object of which each field may be absent, null or given."""
    return st.fixed_dictionaries({}, optional={key: st.none() | value for key, value in fields.items()})


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

containers = st.builds(
    lambda name, fields: {"image": "web:1", **fields, "name": name},
    st.sampled_from(CONTAINER_NAMES) | st.none(),
    partial(
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


def _like_token(name: str, drop: int | None, extra: list[Json], audience: str | None) -> Json:
    """The injected volume, or one that differs from it in a single thing."""
    volume = token_volume(name)
    sources = volume["projected"]["sources"]
    if audience is not None:
        sources[0]["serviceAccountToken"]["audience"] = audience
    sources += extra
    if drop is not None:
        del sources[drop]
    return volume


tokens = st.builds(
    _like_token,
    volume_names,
    st.sampled_from([None, None, None, 0, 1, 2]),
    few(st.sampled_from([{"configMap": {"name": "openshift-service-ca.crt"}}, {"secret": {"name": "s"}}, {}]), 1),
    st.sampled_from([None, None, None, "", "vault"]),
)
volumes = st.one_of(
    tokens,
    st.builds(
        lambda name, source: {"name": name, **source},
        volume_names | st.none(),
        st.sampled_from(
            [
                {},
                {"emptyDir": {}},
                {"emptyDir": {"medium": "Memory"}},
                {"hostPath": {"path": "/"}},
                {"hostPath": None},
                {"persistentVolumeClaim": {"claimName": "c"}},
                {"projected": {"sources": None}},
                {"projected": None},
            ]
        ),
    ),
)

opt_out_words = st.lists(st.sampled_from(OPT_OUT_WORDS), max_size=3).map(" ".join) | st.lists(
    st.sampled_from(OPT_OUT_WORDS), max_size=3
).map(", ".join)
annotations = partial(
    **{
        "hardener.dev/opt-out": opt_out_words | st.none(),
        "hardener.dev/opt-out-reason": st.sampled_from(["it must", " ", ""]),
        "hardener.dev/opt-out-until": st.sampled_from(DAYS),
        **{f"opt-out.hardener.dev/{name}": opt_out_words for name in ("app", "web", "")},
        "seccomp.security.alpha.kubernetes.io/pod": st.sampled_from(
            ["unconfined", "docker/default", "localhost/p.json"]
        ),
        "container.seccomp.security.alpha.kubernetes.io/app": st.sampled_from(
            ["runtime/default", "localhost/p.json", ""]
        ),
        "openshift.io/scc": st.sampled_from(["anyuid", "restricted-v2", "privileged", ""]),
        "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes": st.lists(volume_names, max_size=2).map(
            ",".join
        ),
    },
)

affinity_terms = partial(
    matchExpressions=few(
        st.fixed_dictionaries(
            {
                "key": st.sampled_from([OS_LABEL, "zone"]),
                "operator": st.sampled_from(["In", "NotIn"]),
                "values": st.sampled_from([["windows"], ["linux"], ["windows", "linux"]]),
            }
        ),
        2,
    )
)
affinities = partial(
    nodeAffinity=partial(
        requiredDuringSchedulingIgnoredDuringExecution=partial(nodeSelectorTerms=few(affinity_terms, 2))
    )
)
placements = st.one_of(
    *[st.just({})] * 6,
    partial(
        nodeSelector=st.dictionaries(
            st.sampled_from([OS_LABEL, "beta.kubernetes.io/os"]), st.sampled_from(["windows", "linux"]), max_size=2
        )
    ),
    partial(affinity=affinities),
    partial(os=partial(name=st.sampled_from(["windows", "linux"]))),
    partial(securityContext=partial(windowsOptions=windows_options)),
)

specs = st.builds(
    lambda fields, placement, own: {**fields, **placement, "containers": own},
    partial(
        initContainers=few(containers, 2),
        volumes=few(volumes),
        securityContext=partial(runAsUser=users, runAsNonRoot=flags, seccompProfile=seccomp),
        serviceAccountName=st.sampled_from(["default", "operator", ""]),
        serviceAccount=st.sampled_from(["default", "operator", ""]),
        automountServiceAccountToken=flags,
        hostPID=rarely,
        hostIPC=rarely,
        hostUsers=rarely.map(lambda flag: not flag),
        resources=st.one_of(*[st.none()] * 4, partial(requests=quantities, limits=quantities)),
    ),
    placements,
    st.one_of(*[st.lists(containers, min_size=1, max_size=3)] * 9, st.none() | st.just([])),
)

pods = st.builds(
    lambda metadata, spec: {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
    partial(name=st.just("p"), generateName=st.just("p-"), annotations=annotations),
    specs,
)
"""Pods as files hold them: undefaulted, with nulls, and not always acceptable to the API server."""

modest_containers = st.builds(
    lambda each, policy: {"name": "app", "image": "web:1", "resources": each, **policy},
    partial(
        requests=st.dictionaries(st.sampled_from(["cpu", "memory"]), st.sampled_from(["0", "50m", "1", "64Mi"])),
        limits=st.dictionaries(
            st.sampled_from(["cpu", "memory", "nvidia.com/gpu"]), st.sampled_from(["0", "1", "64Mi", "1Gi"])
        ),
    ),
    st.sampled_from([{}, {}, {"restartPolicy": "Always"}]),
)
pods_with_amounts = st.builds(
    lambda own, inits: {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": own, "initContainers": inits},
    },
    st.lists(modest_containers, min_size=1, max_size=2),
    few(modest_containers, 2),
)
"""Pods that say little but what they ask for, so that a LimitRange or quota often accepts them."""
