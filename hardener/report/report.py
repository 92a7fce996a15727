"""Report: what a scan has found, as every format shows it. Texts are as wording has them; a format escapes them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import reduce

from hardener.model import Mode, OptOutCause
from hardener.pss import Level


class State(StrEnum):
    """How pods stand to what their policy says about one control, or about all of them."""

    IN_PLACE = "in place"
    UNHARDENED = "unhardened"
    """The policy enforces it and the pod does not have it: admitted before the policy, or while nobody was asked."""
    WOULD_CHANGE = "would change"
    """The policy only tries it, and the pod does not have it; or there is no pod yet, and the next one will be changed."""
    HELD = "held back"
    OPTED_OUT = "opted out"
    EXEMPT = "exempt"
    OFF = "off"
    """The policy does not have it, or does nothing."""

    @staticmethod
    def worst(states: "Iterable[State]") -> "State":
        """That of a pod whose controls stand so: the one that most is to be done about. OFF where there are none."""
        return min(states, key=lambda state: state.rank, default=State.OFF)

    @property
    def rank(self) -> int:
        """Where it stands in the order of what most is to be done about."""
        return _ORDER.index(self)


_ORDER = (
    State.UNHARDENED,
    State.WOULD_CHANGE,
    State.HELD,
    State.OPTED_OUT,
    State.EXEMPT,
    State.IN_PLACE,
    State.OFF,
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change that a policy asks for; `container` is empty where the pod as a whole is meant."""

    control: str
    mode: Mode
    container: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """One change that is held back, and why."""

    control: str
    container: str
    reason: str


@dataclass(frozen=True, slots=True)
class Word:
    """One word of an opt-out; `text` says what became of it."""

    control: str
    container: str
    cause: OptOutCause
    text: str
    ends_soon: bool = False

    @property
    def accepted(self) -> bool:
        return self.cause is OptOutCause.ACCEPTED


@dataclass(frozen=True, slots=True)
class Risk:
    """A change that this workload may not bear, and what points to it."""

    control: str
    container: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is the same for one or more pods of one workload: `kind` and `name` are the uppermost owner's.

    `pods` counts them, 0 for a workload without any, whose template was judged; `examples` names a few. `controls` holds
    the state of every control of the catalogue, by name. `now` and `hardened` are the Pod Security Standards levels that
    these pods meet and would meet, `violations` and `remaining` the checks that stand between them and `restricted`.
    """

    kind: str
    name: str
    pods: int
    examples: tuple[str, ...]
    state: State
    controls: dict[str, State]
    now: Level
    hardened: Level
    violations: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    held: tuple[Held, ...] = ()
    opt_outs: tuple[Word, ...] = ()
    exempt: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Namespace:
    """One namespace with its policy, and what was found in it."""

    name: str
    policy: str
    mode: Mode
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def pods(self) -> int:
        return sum(finding.pods for finding in self.findings)

    def count(self, state: State) -> int:
        """The pods that stand so."""
        return sum(finding.pods for finding in self.findings if finding.state is state)

    def coverage(self, control: str) -> dict[State, int]:
        """For one control, the pods of each state that occurs."""
        return _sums((finding.controls[control], finding.pods) for finding in self.findings)

    @property
    def now(self) -> Level:
        """The level that all its pods meet."""
        return reduce(Level.weaker, (finding.now for finding in self.findings), Level.RESTRICTED)

    @property
    def hardened(self) -> Level:
        """The level that all its pods would meet if everything that the policy says were done."""
        return reduce(Level.weaker, (finding.hardened for finding in self.findings), Level.RESTRICTED)


@dataclass(frozen=True, slots=True)
class Report:
    """The state of a cluster at one moment; `problems` are what could not be read, each with what to do.

    `cluster` is the address of its API server, `version` hardener's own, and `config` the file or ConfigMap whose policies
    are meant. `finished` counts pods that have ended and `mirrors` those that kubelets run from files of their own: both
    are left out of everything else.
    """

    cluster: str
    taken_at: datetime
    version: str
    controls: tuple[str, ...]
    namespaces: tuple[Namespace, ...]
    problems: tuple[str, ...] = field(default=())
    config: str = ""
    finished: int = 0
    mirrors: int = 0

    @property
    def pods(self) -> int:
        return sum(namespace.pods for namespace in self.namespaces)

    def count(self, state: State) -> int:
        return sum(namespace.count(state) for namespace in self.namespaces)

    def coverage(self, control: str) -> dict[State, int]:
        return _sums(each for namespace in self.namespaces for each in namespace.coverage(control).items())

    @property
    def inhabited(self) -> tuple[Namespace, ...]:
        """The namespaces that hold workloads: an empty one meets every level, and says nothing."""
        return tuple(namespace for namespace in self.namespaces if namespace.findings)

    def able(self, level: Level, *, hardened: bool) -> int:
        """How many of the inhabited namespaces can enforce this level, as they are or hardened."""
        met = (namespace.hardened if hardened else namespace.now for namespace in self.inhabited)
        return sum(level.weaker(each) is level for each in met)


def _sums(counts: Iterable[tuple[State, int]]) -> dict[State, int]:
    sums: dict[State, int] = {}
    for state, number in counts:
        sums[state] = sums.get(state, 0) + number
    return sums
