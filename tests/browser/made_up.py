"""Made-up reports: a cluster as people have them, one of hostile texts, and a large one."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hardener.controls import CATALOGUE
from hardener.model import Mode, OptOutCause
from hardener.pss import Level
from hardener.report.report import Change, Finding, Held, Namespace, Report, Risk, State, Word

TAKEN_AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)

EFFECTS = {
    "allowPrivilegeEscalation": "setuid binaries gain nothing",
    "automountServiceAccountToken": "the API server adds no token",
    "capabilities": "only capabilities that it adds by name are left",
    "readOnlyRootFilesystem": "nothing can change the files of the image",
    "resources": "it names none, so that it could take what it wants",
    "runAsNonRoot": "the kubelet refuses to start it as root",
    "seccompProfile": "only the system calls of ordinary programs are left",
}
RESTRICTED = ("allowPrivilegeEscalation", "capabilities", "runAsNonRoot", "seccompProfile")
"""The controls that the level restricted asks for."""

ON_HOST = "the container works on the host (hostPath, hostPID or hostIPC)"
PRIVILEGED = "the container is privileged"
NAMED_ACCOUNT = "the pod names a service account"


@dataclass(frozen=True)
class Workload:
    """What a finding is made from: `lacks` are the controls that it does not have, `held` those that are held back."""

    name: str
    kind: str = "Deployment"
    pods: int = 2
    container: str = "app"
    lacks: str = ""
    held: dict[str, str] = field(default_factory=dict)
    words: tuple[Word, ...] = ()
    risks: tuple[Risk, ...] = ()
    exempt: str = ""
    breaks: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    def finding(self, mode: Mode, slipped: bool) -> Finding:
        """`slipped`: the pods came while nobody was asked."""
        missing = State.UNHARDENED if slipped and mode is Mode.ENFORCE else State.WOULD_CHANGE
        lacks = tuple(CATALOGUE) if self.lacks == "*" else tuple(self.lacks.split())
        controls = dict.fromkeys(CATALOGUE, State.OFF if mode is Mode.DISABLED else State.IN_PLACE)
        if mode is Mode.DISABLED:
            lacks_now, changes = lacks, ()
        else:
            controls |= {name: State.EXEMPT if self.exempt else missing for name in lacks if name not in self.held}
            controls |= dict.fromkeys(self.held, State.HELD)
            controls |= {word.control: State.OPTED_OUT for word in self.words if word.accepted}
            changed = [name for name in lacks if controls[name] is missing]
            changes = tuple(Change(name, mode, self.container, name, EFFECTS[name]) for name in changed)
            lacks_now = lacks
        open_now = tuple(name for name in RESTRICTED if name in lacks_now or name in self.held)
        mended = {change.control for change in changes}
        remaining = (*self.breaks, *(name for name in open_now if name not in mended))
        return Finding(
            self.kind,
            self.name,
            self.pods,
            tuple(f"{self.name}-{suffix}" for suffix in ("7d9fb-x2x4k", "7d9fb-q8vtn", "7d9fb-m5c2p")[: self.pods]),
            self._state(mode, missing, bool(changes)),
            controls,
            now=_level(self.breaks, open_now),
            hardened=_level(self.breaks, remaining),
            violations=(*self.breaks, *open_now),
            remaining=remaining,
            changes=changes,
            held=tuple(Held(name, self.container, reason) for name, reason in self.held.items()),
            opt_outs=self.words,
            exempt=(self.exempt,) if self.exempt else (),
            risks=self.risks,
            errors=self.errors,
        )

    def _state(self, mode: Mode, missing: State, changes: bool) -> State:
        if mode is Mode.DISABLED:
            return State.OFF
        if self.exempt:
            return State.EXEMPT
        if changes:
            return missing
        if self.held:
            return State.HELD
        return State.OPTED_OUT if any(word.accepted for word in self.words) else State.IN_PLACE


def _level(breaks: tuple[str, ...], open_checks: tuple[str, ...]) -> Level:
    if breaks:
        return Level.PRIVILEGED
    return Level.BASELINE if open_checks else Level.RESTRICTED


def _namespace(
    name: str, policy: str, mode: Mode, *workloads: Workload, slipped: str = "", notes: str = ""
) -> Namespace:
    findings = tuple(workload.finding(mode, workload.name in slipped.split()) for workload in workloads)
    return Namespace(name, policy, mode, findings, (notes,) if notes else ())


def accepted(control: str, text: str = "accepted", *, ends_soon: bool = False) -> Word:
    return Word(control, "", OptOutCause.ACCEPTED, text, ends_soon)


def cluster() -> Report:
    """A dozen namespaces in the middle of a roll-out."""
    enforce, dry_run, disabled = Mode.ENFORCE, Mode.DRY_RUN, Mode.DISABLED
    root = Risk(
        "runAsNonRoot", "app", "nothing says which user the image runs as, and its name suggests root: nginx:1.27"
    )
    port = Risk("capabilities", "app", "listens on port 80, which takes NET_BIND_SERVICE or a sysctl")
    token_held = {"automountServiceAccountToken": NAMED_ACCOUNT}
    host = {"runAsNonRoot": ON_HOST, "capabilities": ON_HOST, "readOnlyRootFilesystem": ON_HOST}
    agent = {**host, **token_held}
    namespaces = (
        _namespace(
            "cert-manager",
            "standard",
            enforce,
            Workload("cert-manager", pods=1, held=token_held),
            Workload("cert-manager-cainjector", pods=1, held=token_held),
            Workload("cert-manager-webhook", pods=3, held=token_held),
        ),
        _namespace(
            "checkout",
            "standard",
            enforce,
            Workload("api", pods=12),
            Workload("basket", pods=6),
            Workload("worker", pods=8, lacks="*"),
            Workload("receipts", kind="CronJob", pods=0),
            slipped="worker",
        ),
        _namespace(
            "identity",
            "standard",
            enforce,
            Workload("keycloak", kind="StatefulSet", pods=3, lacks="readOnlyRootFilesystem", words=(
                accepted("readOnlyRootFilesystem", "accepted until 2026-11-30", ends_soon=True),
            )),
            Workload("ldap-sync", kind="CronJob", pods=1),
        ),
        _namespace(
            "ingress-nginx",
            "standard",
            enforce,
            Workload(
                "ingress-nginx-controller",
                kind="DaemonSet",
                pods=9,
                container="controller",
                held={**token_held, "allowPrivilegeEscalation": "allowPrivilegeEscalation is explicitly true"},
                words=(accepted("readOnlyRootFilesystem", "accepted until 2027-03-31"),),
            ),
        ),
        _namespace(
            "kube-system",
            "none",
            disabled,
            Workload("kube-proxy", kind="DaemonSet", pods=9, lacks="*", breaks=("hostNamespaces", "hostPathVolumes", "privileged")),
            Workload("coredns", pods=2, lacks="runAsNonRoot automountServiceAccountToken"),
            Workload("cilium", kind="DaemonSet", pods=9, lacks="*", breaks=("capabilities_baseline", "hostNamespaces", "hostPathVolumes", "privileged")),
        ),
        _namespace(
            "legacy-crm",
            "observe",
            dry_run,
            Workload("crm", pods=4, lacks="*", risks=(root, port)),
            Workload("mail-relay", pods=1, lacks="*", risks=(
                Risk("capabilities", "postfix", "listens on port 25, which takes NET_BIND_SERVICE or a sysctl"),
                Risk("runAsNonRoot", "postfix", "runs as user 0 now, as its status says"),
            )),
            Workload("import", kind="CronJob", pods=0, lacks="runAsNonRoot readOnlyRootFilesystem"),
        ),
        _namespace(
            "logging",
            "standard",
            enforce,
            Workload("fluent-bit", kind="DaemonSet", pods=9, container="fluent-bit", held=agent, breaks=("hostPathVolumes",)),
            Workload("loki", kind="StatefulSet", pods=3),
        ),
        _namespace(
            "ml-training",
            "observe",
            dry_run,
            Workload("trainer", kind="Job", pods=6, lacks="allowPrivilegeEscalation capabilities readOnlyRootFilesystem runAsNonRoot seccompProfile", held={"resources": "the container asks for devices: it gets requests but no limit"}, risks=(
                Risk("readOnlyRootFilesystem", "app", "mounts nothing to write to, and its image is known to write to /root/.cache"),
            )),
            Workload("notebooks", kind="StatefulSet", pods=14, lacks="allowPrivilegeEscalation capabilities seccompProfile"),
        ),
        _namespace(
            "monitoring",
            "standard",
            enforce,
            Workload("node-exporter", kind="DaemonSet", pods=9, held=host, breaks=("hostNamespaces", "hostPathVolumes")),
            Workload("prometheus", kind="StatefulSet", pods=2, container="prometheus", held=token_held),
            Workload("grafana", pods=1),
        ),
        _namespace(
            "payments",
            "pci",
            enforce,
            Workload("ledger", pods=6),
            Workload("gateway", pods=8),
            Workload("settlement", kind="CronJob", pods=1, lacks="readOnlyRootFilesystem resources", words=(
                Word("readOnlyRootFilesystem", "", OptOutCause.LOCKED, "the policy locks this control"),
                Word("resources", "", OptOutCause.EXPIRED, "it ended on 2026-10-31"),
            )),
            Workload("vault-agent", pods=2, lacks="resources", exempt="the pod is exempt by exempt.priorityClasses[0]"),
            slipped="settlement",
        ),
        _namespace(
            "search",
            "observe",
            dry_run,
            Workload("query", pods=10, lacks="allowPrivilegeEscalation capabilities seccompProfile automountServiceAccountToken"),
            Workload("indexer", pods=4, lacks="allowPrivilegeEscalation capabilities seccompProfile resources"),
        ),
        _namespace(
            "shop",
            "compatible",
            enforce,
            Workload("web", pods=16),
            Workload("assets", pods=4, lacks="allowPrivilegeEscalation seccompProfile"),
            Workload("search-proxy", pods=4, words=(Word("readonlyFilesystem", "", OptOutCause.UNKNOWN_CONTROL, "did you mean readOnlyRootFilesystem?"),)),
            slipped="assets",
            notes="the namespace's hardener.dev/policy=strict is not selectable: policy compatible applies",
        ),
        _namespace("website", "observe", dry_run, Workload("landing", pods=3), Workload("blog", pods=2)),
    )  # fmt: skip
    return Report("production-eu", TAKEN_AT, "0.9.0", tuple(CATALOGUE), namespaces)


HOSTILE = (
    "<script>document.title = 'taken over'</script>",
    "</style></script></svg></title>--><img src=x onerror=\"document.title='taken over'\">",
    "\"quoted\" 'and' `so` & on",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe \u2066hidden\u2069 \u05e9\u05dc\u05d5\u05dd",
    "bell\x07 null\x00 line\nbreak \x1b[31mred \ud800 \u2028 end",
    "long-" * 60,
)
"""What people, or whoever wants to harm them, can put into a text."""


def made_of(texts: tuple[str, ...] = HOSTILE) -> Report:
    """Where each of the texts stands in every place that holds one."""
    return Report("".join(texts), TAKEN_AT, texts[0], tuple(CATALOGUE), tuple(map(_made_of, texts)), texts)


def _made_of(text: str) -> Namespace:
    finding = Finding(
        text,
        text,
        3,
        (text, text),
        State.UNHARDENED,
        dict.fromkeys(CATALOGUE, State.UNHARDENED),
        now=Level.PRIVILEGED,
        hardened=Level.BASELINE,
        violations=(text,),
        remaining=(text,),
        changes=(Change(text, Mode.DRY_RUN, text, text, text),),
        held=(Held(text, text, text),),
        opt_outs=(Word(text, text, OptOutCause.LOCKED, text), Word(text, text, OptOutCause.ACCEPTED, text, True)),
        exempt=(text,),
        risks=(Risk(text, text, text),),
        errors=(text,),
    )
    return Namespace(text, text, Mode.ENFORCE, (finding,), (text,))


def large(namespaces: int = 500, workloads: int = 40) -> Report:
    """Where each workload has something of everything that can be found; every other namespace is in dry-run."""
    found = [
        (mode, tuple(_service(mode, number) for number in range(workloads))) for mode in (Mode.DRY_RUN, Mode.ENFORCE)
    ]
    return Report(
        "large",
        TAKEN_AT,
        "0.9.0",
        tuple(CATALOGUE),
        tuple(Namespace(f"team-{index:03}", "standard", *found[index % 2]) for index in range(namespaces)),
    )


def _service(mode: Mode, number: int) -> Finding:
    finding = Workload(
        f"service-{number:02}",
        pods=number % 7,
        lacks="*",
        held={"resources": "the namespace's LimitRange would refuse the default"},
        words=(accepted("seccompProfile", "accepted until 2026-11-30", ends_soon=True),),
        risks=(Risk("runAsNonRoot", "app", "nothing says which user the image runs as"),),
        breaks=("hostPathVolumes",),
    ).finding(mode, slipped=True)
    changes = tuple(replace(each, container=container) for each in finding.changes for container in ("app", "proxy"))
    return replace(finding, changes=changes)
