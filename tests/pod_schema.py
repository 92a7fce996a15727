"""A strict JSON Schema of a v1 Pod, to find what the API server would drop or refuse without a word (semantics.md 6.2).

It is derived from the models of the `kubernetes` client. Unlike the API server's decoder it knows no other field and no
other type: a misspelt key, `1.0` for a whole number and `"true"` for a boolean are all found (trap 79).
"""

import re
from functools import cache

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

QUANTITIES = frozenset({"requests", "limits", "overhead", "capacity", "allocatedResources", "sizeLimit", "divisor"})
"""Fields whose values are quantities: the client calls them strings, the API server reads numbers too."""

SCALARS = {
    "str": "string",
    "datetime": "string",
    "int": "integer",
    "bool": "boolean",
    "float": "number",
    "object": ["string", "integer", "object"],
}
QUANTITY = {"type": ["string", "number", "null"]}


class PodSchemaError(AssertionError):
    """An object that is not a v1 Pod; the message names each wrong place."""


def check_pod(obj: object) -> None:
    """Raise PodSchemaError, naming every misspelt field and wrong type, unless the object fits a v1 Pod."""
    found = sorted(_validator().iter_errors(obj), key=lambda error: error.json_path)
    if found:
        raise PodSchemaError("\n".join(f"{error.json_path}: {error.message}" for error in found))


@cache
def pod_schema() -> dict[str, object]:
    """The schema itself, with one definition for each model that a Pod can hold."""
    from kubernetes.client import models  # noqa: PLC0415  # half a second that only its users should pay

    definitions: dict[str, object] = {}
    missing = ["V1Pod"]
    while missing:
        name = missing.pop()
        if name in definitions:
            continue
        model = getattr(models, name)
        properties = {}
        for attribute, type_name in model.openapi_types.items():
            key = model.attribute_map[attribute]
            properties[key] = _schema_of(type_name, quantity=key in QUANTITIES)
            missing += re.findall(r"\b(?:V\d\w+|CoreV\d\w+)", type_name)
        definitions[name] = {"type": ["object", "null"], "additionalProperties": False, "properties": properties}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": definitions,
        "$ref": "#/$defs/V1Pod",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
    }


def _schema_of(type_name: str, *, quantity: bool) -> dict[str, object]:
    """Translate a type as the client writes it: `str`, `V1Volume`, `List[V1Volume]`, `Dict[str, str]`."""
    if quantity and type_name == "str":
        return QUANTITY
    if type_name in SCALARS:
        kinds = SCALARS[type_name]
        return {"type": [*([kinds] if isinstance(kinds, str) else kinds), "null"]}
    inner = re.fullmatch(r"(?i:list)\[(.+)]|(?i:dict)[\[(]str, ?(.+)[\])]", type_name)
    if inner is None:
        return {"$ref": f"#/$defs/{type_name}"}
    element, value = inner.groups()
    if element is not None:
        return {"type": ["array", "null"], "items": _schema_of(element, quantity=False)}
    return {"type": ["object", "null"], "additionalProperties": _schema_of(value, quantity=quantity)}


@cache
def _validator() -> Draft202012Validator:
    """Like the API server's decoder, take `1.0` for no whole number."""
    checker = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    schema = pod_schema()
    Draft202012Validator.check_schema(schema)
    return extend(Draft202012Validator, type_checker=checker)(schema)
