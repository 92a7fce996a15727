"""The form of a configuration file as a JSON Schema, for editors that complete and check."""

import msgspec

from hardener.policy.form import API_VERSION, KIND, ConfigForm


def config_schema() -> dict[str, object]:
    """Make the schema; what it cannot say (a policy that is named must exist, and so on) is checked when a file is read."""
    (ref,), definitions = msgspec.json.schema_components([ConfigForm], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{KIND} {API_VERSION}",
        **ref,
        "$defs": {name: _without_noise(definitions[name]) for name in sorted(definitions)},
    }


def _without_noise(schema: object) -> object:
    """Drop `default: null`, since an absent key means what the policy extends, and titles that repeat a type's name."""
    if isinstance(schema, list | tuple):
        return [_without_noise(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_noise(value)
        for key, value in schema.items()
        if not ((key == "default" and value is None) or (key == "title" and isinstance(value, str)))
    }
