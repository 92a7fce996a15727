"""JSON manifests, read as strictly as YAML ones."""

import json
import math
from collections.abc import Iterable
from typing import NoReturn

from hardener.cli.manifests.kubernetes_yaml import decimal
from hardener.cli.manifests.nodes import DEPTH_LIMIT
from hardener.errors import ManifestError, Problem


def read_json(text: str, start: int, file: str, first_line: int) -> tuple[object, int]:
    """Read the JSON value that begins at `start`, and say where it ends. Raises ManifestError."""

    def problem(line: int, message: str) -> ManifestError:
        return ManifestError(Problem(file, line, "", message))

    def unique(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key, value in pairs:
            if key in mapping:
                raise problem(here(), f"the key {key!r} stands twice in one mapping")
            mapping[key] = value
        return mapping

    def here() -> int:
        return first_line + text.count("\n", 0, start)

    try:
        value, end = json.JSONDecoder(
            object_pairs_hook=unique, parse_constant=_refuse_constant, parse_float=_finite
        ).raw_decode(text, start)
        _check_text(value)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise problem(line, f"cannot be read as JSON: {error.msg} (column {error.colno})") from error
    except RecursionError as error:
        raise problem(here(), f"nested more than {DEPTH_LIMIT} levels deep") from error
    except ValueError as error:
        raise problem(here(), f"cannot be read as JSON: {error}") from error
    return value, end


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float | int:
    number = decimal(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:40]} is too large a number")
    return number


def _check_text(value: object) -> None:
    """Raise RecursionError for a value too deep, ValueError for a string that is no text, such as half a surrogate pair."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH_LIMIT + 1:
            raise RecursionError
        following: list[object] = []
        for item in level:
            if isinstance(item, dict):
                following += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                following += item
            elif isinstance(item, str):
                _encodable(item)
        level = following


def _encodable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("a string holds half of a surrogate pair") from error
