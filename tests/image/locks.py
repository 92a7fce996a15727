"""The files of requirements/, each a choice of versions with their hashes."""

import re
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]

_PIN = re.compile(r"^(\S+==.*?) \\$", re.MULTILINE)


def locked(name: str) -> list[Requirement]:
    """What `requirements/<name>.txt` asks for."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return [Requirement(pin) for pin in _PIN.findall(text)]


def versions(name: str) -> dict[str, str]:
    """The version of each, on any machine."""
    return {each.name: str(each.specifier).removeprefix("==") for each in locked(name)}


def versions_here(name: str) -> dict[str, str]:
    """The version of each that is installed on a machine such as this."""
    wanted = {each.name for each in locked(name) if each.marker is None or each.marker.evaluate()}
    return {name: version for name, version in versions(name).items() if name in wanted}
