"""Kubernetes quantities as exact numbers.

The grammar is that of apimachinery `pkg/api/resource/quantity.go` (semantics.md 3.5): a decimal number, then a decimal
suffix (n u m k M G T P E), a binary one (Ki Mi Gi Ti Pi Ei) or an exponent (e or E with a whole number), never both.
`1E` is exa, `1E3` is 1000, `128M` is not `128Mi`.
"""

import re
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow

from hardener.errors import QuantityError
from hardener.model.manifest import QuantityValue

EXACT = Context(prec=400, traps=[Inexact, InvalidOperation, Overflow])
"""Arithmetic that fails where it would have to round."""

SHOWN = 40
"""Characters of a bad quantity that its message repeats."""

_GRAMMAR = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]{1,4}))?")


def _suffixes() -> dict[str, Decimal]:
    factors = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}
    factors |= {suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate("kMGTPE", start=1)}
    factors |= {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)}
    return factors


_FACTORS = _suffixes()


def parse_quantity(value: QuantityValue) -> Decimal:
    """Read a quantity as JSON or YAML holds it, exactly; null is zero, as the API server reads it (semantics.md 9.4).

    Raises QuantityError for anything that the API server would not read either.
    """
    if value is None:
        return Decimal(0)
    text = repr(value) if isinstance(value, float) else str(value)
    match = _GRAMMAR.fullmatch(text)
    if match is None or isinstance(value, bool):
        raise QuantityError(
            f"{text!r} is not a quantity: write a number with an optional suffix, such as 250m, 64Mi or 1Gi"
        )
    number, suffix, exponent = match.groups()
    try:
        if exponent is not None:
            return EXACT.scaleb(Decimal(number), int(exponent))
        return EXACT.multiply(Decimal(number), _FACTORS[suffix] if suffix else Decimal(1))
    except DecimalException as error:
        raise QuantityError(f"{text[:SHOWN]!r} has more digits than a quantity can hold") from error
