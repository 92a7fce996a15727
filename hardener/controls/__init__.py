"""The catalogue: each public module of this package is one control.

A file is all that a control needs: its name, opt-out word, documentation, schema and metric label follow from it. What a
file lacks fails here, at import, with the file named.
"""

import importlib
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType, ModuleType

from hardener.model import Control

_HEADINGS = ("Why", "Changes", "Opt out when")


def _camel(module_name: str) -> str:
    first, *others = module_name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _sections(module: ModuleType) -> list[str]:
    """The summary and the text under each heading, in the order of the headings."""
    pattern = r"(?P<summary>.+?)\n\n" + "".join(rf"{heading}: (.+?)\n" for heading in _HEADINGS)
    match = re.fullmatch(pattern, module.__doc__ or "", re.DOTALL)
    if match is None:
        raise TypeError(f"{module.__name__}: the docstring needs a summary, then {', '.join(_HEADINGS)}, in this order")
    return [" ".join(text.split()) for text in match.groups()]


def _load() -> Mapping[str, Control]:
    controls = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{__name__}.{info.name}")
        summary, why, changes, opt_out_when = _sections(module)
        name = _camel(info.name)
        controls[name] = replace(
            module.CONTROL, name=name, summary=summary, why=why, changes=changes, opt_out_when=opt_out_when
        )
    return MappingProxyType(controls)


CATALOGUE: Mapping[str, Control] = _load()
"""All controls by name, sorted."""
