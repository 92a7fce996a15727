"""Level: the three steps of the Pod Security Standards."""

from enum import StrEnum


class Level(StrEnum):
    """What a pod meets or a namespace demands, as the labels `pod-security.kubernetes.io/...` spell it.

    The order is that of the demands, none first. `<` compares spellings, as it does with any text: use `weaker`.
    """

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"

    def weaker(self, other: "Level") -> "Level":
        """The one that demands less: what two pods meet together."""
        order = list(Level)
        return min(self, other, key=order.index)
