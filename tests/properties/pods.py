"""Hypothesis strategies for pods: volumes, annotations, placement and what the pod says for its containers."""

from hypothesis import strategies as st

from hardener.controls import CATALOGUE
from tests.admission_chain import token_volume
from tests.pod_json import Json
from tests.promised_changes import SAFE_TO_EVICT
from tests.properties.containers import (
    containers,
    few,
    flags,
    partial,
    quantities,
    rarely,
    seccomp,
    sharp_containers,
    users,
    volume_names,
    windows_options,
)
from tests.provenance import PROVENANCE

OS_LABEL = "kubernetes.io/os"
DAYS = ("2026-11-22", "2026-11-21", "2026-12-24", "2099-01-01", "tomorrow", "", "2026-W48-1")
CLASSES = ("", "usual", "usual", "usual", "trusted")
"""Runtime and priority classes; a configuration may exempt the last one."""

OPT_OUT_WORDS = (*CATALOGUE, "*", "runasnonroot", "capabilites", "", "all")


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
FORGERIES = ("standard@00000000", "capabilities,resources", "capabilities(app): opted out", "", "all of it")
"""What somebody may write into the annotations that are ours."""

_GIVEN = {"hardener.dev/opt-out-reason": "it must", "hardener.dev/opt-out-until": "2026-12-24"}

SHARP_ANNOTATIONS: tuple[Json, ...] = (
    {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"},
    {"container.seccomp.security.alpha.kubernetes.io/app": "localhost/other.json"},
    {"openshift.io/scc": "anyuid"},
    {"opt-out.hardener.dev/app": "*"},
    {"hardener.dev/opt-out": "*"},
    {"hardener.dev/opt-out": "resources, runAsNonRoot", **_GIVEN},
    {"opt-out.hardener.dev/app": "capabilities readOnlyRootFilesystem automountServiceAccountToken", **_GIVEN},
    {"opt-out.hardener.dev/web": "resources", "opt-out.hardener.dev/": "*", "hardener.dev/opt-out": "capabilites"},
    dict(zip(PROVENANCE, FORGERIES, strict=False)),
    {},
)
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
        SAFE_TO_EVICT: st.lists(volume_names, max_size=2).map(",".join),
        **dict.fromkeys(PROVENANCE, st.sampled_from(FORGERIES)),
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
        volumes=st.just([token_volume("kube-api-access-x7k2p")]) | few(volumes),
        securityContext=partial(runAsUser=users, runAsNonRoot=flags, seccompProfile=seccomp),
        serviceAccountName=st.sampled_from(["default", "operator", ""]),
        serviceAccount=st.sampled_from(["default", "operator", ""]),
        automountServiceAccountToken=flags,
        hostPID=rarely,
        hostIPC=rarely,
        hostUsers=rarely.map(lambda flag: not flag),
        runtimeClassName=st.sampled_from(CLASSES),
        priorityClassName=st.sampled_from(CLASSES),
        resources=st.one_of(*[st.none()] * 4, partial(requests=quantities, limits=quantities)),
    ),
    placements,
    st.one_of(*[st.lists(containers, min_size=1, max_size=3)] * 9, st.none() | st.just([])),
)

SHARP_SPECS: tuple[Json, ...] = (
    {},
    {"volumes": [token_volume("kube-api-access-x7k2p")]},
    {"securityContext": {"runAsNonRoot": False, "runAsUser": 1000}},
    {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
    {"securityContext": {"runAsUser": 0}},
    {"serviceAccountName": "operator"},
    {"hostUsers": False},
    {"hostPID": True},
    {"runtimeClassName": "trusted"},
    {"priorityClassName": "trusted"},
)

wild_pods = st.builds(
    lambda metadata, spec: {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
    partial(
        name=st.just("p"), generateName=st.just("p-"), annotations=st.sampled_from(SHARP_ANNOTATIONS) | annotations
    ),
    specs,
)
"""Pods as files hold them: undefaulted, with nulls, and not always acceptable to the API server."""

sharp_pods = st.builds(
    lambda notes, spec, own, inits: {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "annotations": notes},
        "spec": {**spec, "containers": own, "initContainers": inits},
    },
    st.sampled_from(SHARP_ANNOTATIONS),
    st.sampled_from(SHARP_SPECS),
    st.lists(sharp_containers, min_size=1, max_size=3),
    few(sharp_containers, 1),
)
"""Pods of few choices, each of which a control has to mind, so that they often meet."""

pods = sharp_pods | wild_pods

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
