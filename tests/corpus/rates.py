"""How much of the corpus each control hardens under the standard policy, how much it holds back, and why."""

from collections import Counter
from typing import Any

from hardener.engine import harden
from hardener.model import STANDALONE, Container, Pod, Verdict
from tests.admission_chain import admitted
from tests.corpus.configurations import configuration
from tests.corpus.manifests import files, holds_pod, objects
from tests.pods import TODAY, view

PER_POD = frozenset({"automountServiceAccountToken"})
"""Controls that decide once for a pod; the others are counted per container."""

WRITTEN = "written"
RIGHT = "already right"
HELD = "held: "

Rates = dict[str, Any]


def measure() -> Rates:
    """Count over all pods: `{pods, controls: {control: {written, already right, held: <reason>...}}}`."""
    policy = configuration("standard").default
    counts: dict[str, Counter[str]] = {enabled.control.name: Counter() for enabled in policy.controls}
    pods = 0
    for obj in (obj for file in files() for obj in objects(file) if holds_pod(obj)):
        pods += 1
        pod = view(admitted(obj))
        for verdict in harden(pod, policy, STANDALONE, TODAY).verdicts:
            units = [pod] if verdict.control in PER_POD else pod.containers
            counts[verdict.control].update(_fate(verdict, unit) for unit in units)
    return {"pods": pods, "controls": {name: dict(sorted(counter.items())) for name, counter in counts.items()}}


def table_of(rates: Rates, baseline: Rates) -> str:
    """One line a control: shares, the change against the baseline, and the reasons of what is held back."""
    lines = [f"{rates['pods']} pods of the corpus, policy standard"]
    for name, counts in rates["controls"].items():
        total = sum(counts.values())
        more = counts.get(WRITTEN, 0) - baseline["controls"].get(name, {}).get(WRITTEN, 0)
        held = {key.removeprefix(HELD): count for key, count in counts.items() if key.startswith(HELD)}
        shares = [
            f"{count / total:6.1%}" for count in (counts.get(WRITTEN, 0), counts.get(RIGHT, 0), sum(held.values()))
        ]
        unit = "pods" if name in PER_POD else "containers"
        change = f" ({more:+} against the baseline)" if more else ""
        lines.append(
            f"{name:29}{shares[0]} of {total} {unit} hardened{change}, {shares[1]} already right, {shares[2]} held"
        )
        lines += [f"{count:>37}  {reason}" for reason, count in sorted(held.items(), key=lambda pair: -pair[1])]
    return "\n".join(lines)


def losses(rates: Rates, baseline: Rates) -> list[str]:
    """A sentence for each control that hardens less than the baseline says."""
    refresh = "; if that is meant, run `make baseline` and commit tests/corpus/baseline.json"
    if rates["pods"] != baseline["pods"]:
        return [f"the corpus has {rates['pods']} pods and the baseline was made with {baseline['pods']}{refresh}"]
    found = []
    for name, old in baseline["controls"].items():
        now = rates["controls"].get(name, {}).get(WRITTEN, 0)
        if now < old.get(WRITTEN, 0):
            found.append(f"{name} hardened {old[WRITTEN]} and now {now}{refresh}")
    return found


def _fate(verdict: Verdict, unit: Pod | Container) -> str:
    """A skip on the pod speaks for every container that got nothing."""
    if any(write.at is unit for write in verdict.writes):
        return WRITTEN
    skips = [skip for skip in verdict.skips if skip.at is unit or isinstance(skip.at, Pod)]
    return HELD + skips[0].reason if skips else RIGHT
