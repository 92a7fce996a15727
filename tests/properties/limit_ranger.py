"""What the LimitRanger plugin would refuse, on JSON and independently of the controls (semantics.md 3.5).

Source: `minConstraint`, `maxConstraint` and `limitRequestRatioConstraint` in plugin/pkg/admission/limitranger/admission.go.
"""

from collections.abc import Iterable
from fractions import Fraction

from hardener.model import Facts, LimitRange
from tests.pod_json import Json, amount, containers, table

Named = tuple[Fraction | None, Fraction | None]
"""A request and a limit."""


def refusals(pod: Json, facts: Facts) -> list[str]:
    """A sentence for each bound that the pod is outside of."""
    found = []
    for item in facts.limit_ranges:
        for resource in {*item.min, *item.max, *item.max_limit_request_ratio}:
            named = [(name, _named(each, resource)) for name, each in containers(pod)]
            if item.type == "Pod":
                named = [("pod", (_total(pod, resource, 0), _total(pod, resource, 1)))]
            found += [f"{name}: {resource} {why}" for name, pair in named for why in _outside(item, resource, *pair)]
    return found


def class_of(pod: Json) -> str:
    """BestEffort, or something better: whether any container asks for some CPU or memory."""
    asked = [value for _, each in containers(pod) for name in ("cpu", "memory") for value in _named(each, name)]
    return "better" if any(asked) else "BestEffort"


def _outside(item: LimitRange, resource: str, request: Fraction | None, limit: Fraction | None) -> Iterable[str]:
    least, most, ratio = item.min.get(resource), item.max.get(resource), item.max_limit_request_ratio.get(resource)
    if least is not None:
        if request is None:
            yield "has no request"
        elif request < Fraction(least):
            yield "requests too little"
        if limit is not None and limit < Fraction(least):
            yield "has too low a limit"
    if most is not None:
        if limit is None:
            yield "has no limit"
        elif limit > Fraction(most):
            yield "has too high a limit"
        if request is not None and request > Fraction(most):
            yield "requests too much"
    if ratio is not None and (not request or not limit or limit / request > Fraction(ratio)):
        yield "has a limit too far above its request"


def _named(container: Json, resource: str) -> Named:
    resources = table(container.get("resources"))
    return (_amount_in(resources, "requests", resource), _amount_in(resources, "limits", resource))


def _amount_in(resources: Json, field: str, resource: str) -> Fraction | None:
    named = table(resources.get(field))
    return amount(named[resource]) if resource in named else None


def _total(pod: Json, resource: str, half: int) -> Fraction | None:
    """The sum for the pod as a whole; None where no container names any."""
    own = [
        (field, each.get("restartPolicy") == "Always", _named(each, resource)[half])
        for field in ("initContainers", "containers")
        for _, each in containers(pod, field)
    ]
    if all(value is None for _, _, value in own):
        return None
    sidecars = highest = running = Fraction(0)
    for field, is_sidecar, value in own:
        value = value or Fraction(0)  # noqa: PLW2901  nothing named is nothing asked
        if field == "containers":
            running += value
        elif is_sidecar:
            sidecars += value
            highest = max(highest, sidecars)
        else:
            highest = max(highest, sidecars + value)
    return max(sidecars + running, highest)
