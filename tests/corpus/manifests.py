"""The corpus: real manifests of public repositories, one object a file or several. They are read, never run."""

import os
from functools import cache
from pathlib import Path

import yaml

from hardener.model.workloads import template_path
from tests.pod_json import Json

REPOSITORY = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("HARDENER_CORPUS") or REPOSITORY.parent / "shared")
PARTS = ("corpus", "texts")


@cache
def files() -> tuple[Path, ...]:
    """Every manifest, relative to the folder and sorted; none where the folder is absent."""
    found = [
        path for part in PARTS for suffix in ("yaml", "yml", "json") for path in (FOLDER / part).rglob(f"*.{suffix}")
    ]
    return tuple(sorted(path.relative_to(FOLDER) for path in found if path.is_file()))


@cache
def objects(file: Path) -> tuple[Json, ...]:
    """All objects of a file; shared between tests, and never to be changed."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    return tuple(each for each in yaml.load_all(text, yaml.CSafeLoader) if each is not None)


def holds_pod(obj: Json) -> bool:
    return template_path(obj["apiVersion"], obj["kind"]) is not None


def title(file: Path, obj: Json) -> str:
    """What a message calls an object; some have no name."""
    return f"{file}: {obj['kind']} {(obj.get('metadata') or {}).get('name', '')}"
