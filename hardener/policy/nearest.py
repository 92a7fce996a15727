"""The known word that a misspelt one most likely means."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST_TIMES = 3
"""How many times as long a word may be as the one that it means. difflib finds nothing beyond 7/3 of it, at the ratio of
0.6 that it asks for, and for a word of a megabyte takes long to say so."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Find it whatever the case; empty where nothing is near."""
    by_lower = {name.lower(): name for name in known if len(word) <= MOST_TIMES * len(name)}
    if not by_lower:
        return ""
    matches = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[matches[0]] if matches else ""


def hint(word: str, known: Iterable[str]) -> str:
    """Say what an unknown word may have meant: the nearest known one, or all of them."""
    names = tuple(name for name in known if name.isprintable())
    near = nearest(word, names)
    if near:
        return f"did you mean {near}?"
    return f"known here: {', '.join(names)}" if names else "none is known here"
