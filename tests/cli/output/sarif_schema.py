"""The published schema of SARIF 2.1.0, with the formats of its texts checked as well."""

import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jsonschema import Draft4Validator, FormatChecker

SCHEMA = Path(__file__).parent / "schema" / "sarif-2.1.0.json"

_URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")

_formats = FormatChecker(formats=())


@_formats.checks("uri-reference")
def is_uri_reference(text) -> bool:
    return _URI_CHARACTERS.fullmatch(text) is not None


@_formats.checks("uri")
def is_uri(text) -> bool:
    return is_uri_reference(text) and bool(urlsplit(text).scheme)


@cache
def _validator() -> Draft4Validator:
    return Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")), format_checker=_formats)


def mistakes(log) -> list[str]:
    """What the schema does not allow in a log, each with its place."""
    return [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(log)]
