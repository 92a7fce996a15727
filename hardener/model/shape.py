"""JSON -> a typed struct, or where it has another shape."""

import re
from typing import TypeVar

import msgspec

from hardener.errors import MisfitError
from hardener.model.outcome import Path

_AT = re.compile(r" - at (?:`key` in )?`\$")
"""Where msgspec ends what it has to say, and begins with the path."""

Shape = TypeVar("Shape", bound=msgspec.Struct)


def shaped(value: object, shape: type[Shape], at: Path = ()) -> Shape:
    """Read a value that JSON has held. Raises MisfitError; `at` leads to the value from the object that it names."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        message, *where = _AT.split(str(error), maxsplit=1)
        path = _keys(where[0].removesuffix("`")) if where else ()
        raise MisfitError((*at, *path), message.replace("`", "")) from error


def _keys(text: str) -> Path:
    """Read the path of a msgspec message: `.spec.containers[0].image` (a key of a dict is `[...]` there)."""
    keys: list[str | int] = []
    for part in text.replace("[", ".[").split("."):
        if part.startswith("["):
            if not part[1:-1].isdecimal():
                break
            keys.append(int(part[1:-1]))
        elif part:
            keys.append(part)
    return tuple(keys)
