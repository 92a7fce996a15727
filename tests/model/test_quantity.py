"""Quantities as Kubernetes writes them (semantics.md 3.5 and 9)."""

from decimal import Decimal
from fractions import Fraction

import pytest

from hardener.errors import QuantityError
from hardener.model import parse_quantity

SUFFIXES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "P": 10**15,
    "E": 10**18,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
    "Ei": 2**60,
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "number", ["0", "1", "007", "1.5", "12345678901234567890.123456789", ".5", "2.", "+3", "-4.25"]
)
def test_a_suffix_multiplies_exactly(number, suffix):
    exact = Fraction(number.removesuffix(".")) * SUFFIXES[suffix]

    assert Fraction(parse_quantity(number + suffix)) == exact


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000),
        ("1E3", 1000),
        ("1e+3", 1000),
        ("1.5E3", 1500),
        ("500e-3", Fraction(1, 2)),
        ("5E-1", Fraction(1, 2)),
        ("-1e0", -1),
        ("1e18", 10**18),
    ],
)
def test_an_exponent_multiplies_exactly(text, value):
    assert Fraction(parse_quantity(text)) == value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.1", "100m"),
        ("1E", "1000P"),
        ("1024Mi", "1Gi"),
        ("1k", "1e3"),
        ("0.5", "500e-3"),
        ("1", "1000m"),
        ("-0", "0"),
    ],
)
def test_two_spellings_of_one_amount_are_equal(one, other):
    assert parse_quantity(one) == parse_quantity(other)


@pytest.mark.parametrize(
    ("less", "more"), [("1E3", "1E"), ("128M", "128Mi"), ("1k", "1Ki"), ("100m", "100M"), ("-1", "0")]
)
def test_two_amounts_that_look_alike_differ(less, more):
    assert parse_quantity(less) < parse_quantity(more)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (2, "2"),
        (0.1, "0.1"),
        (1.5, "1.5"),
        (-1, "-1"),
        (1e22, "1e22"),
        (1e-7, "1e-7"),
        (2**63, str(2**63)),
        (None, "0"),
    ],
)
def test_json_numbers_and_null_are_amounts_as_well(value, amount):
    assert parse_quantity(value) == Decimal(amount)


def test_no_digit_is_lost():
    longest = "9" * 300 + "." + "1" * 80

    assert parse_quantity(longest) == Decimal(longest)
    assert parse_quantity("0." + "0" * 350 + "1m") == Decimal("1e-354")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 ",
        " 1",
        "1 Gi",
        "1gi",
        "1ki",
        "1K",
        "1kk",
        "1mi",
        "1GiB",
        "Gi",
        "m",
        ".",
        "+",
        "-.",
        "--1",
        "+-1",
        "1.2.3",
        "1,5",
        "1_000",
        "0x10",
        "1e",
        "1e3m",
        "1e3Ki",
        "1Kie3",
        "1e1.5",
        "1e99999",
        "e3",
        "NaN",
        "inf",
        "Infinity",
        "1\n",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "much",
    ],
)
def test_what_is_no_quantity_is_refused_with_its_text_and_an_example(text):
    with pytest.raises(QuantityError) as caught:
        parse_quantity(text)

    assert (
        str(caught.value)
        == f"{text!r} is not a quantity: write a number with an optional suffix, such as 250m, 64Mi or 1Gi"
    )


@pytest.mark.parametrize("value", [True, False, float("nan"), float("inf")])
def test_booleans_and_no_numbers_are_refused(value):
    with pytest.raises(QuantityError, match=r"is not a quantity"):
        parse_quantity(value)


@pytest.mark.parametrize(
    "suffix",
    ["Ki", "m", "e3", ""],
)
def test_more_digits_than_can_be_held_are_refused_rather_than_rounded(suffix):
    with pytest.raises(QuantityError, match=r"^'9{40}' has more digits than a quantity can hold$"):
        parse_quantity("9" * 401 + suffix)
