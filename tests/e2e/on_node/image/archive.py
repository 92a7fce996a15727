"""An image in an archive, as `docker save` writes it, to look into without running it."""

import json
import tarfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from tests.e2e.cluster import Json


@dataclass(frozen=True)
class Archive:
    """The entries of each layer, from the lowest up, and what a Dockerfile says beside them."""

    path: Path
    config: Json
    layers: dict[str, list[tarfile.TarInfo]] = field(repr=False)

    @classmethod
    def open(cls, path: Path) -> Self:
        layers = {}
        with tarfile.open(path) as archive:
            (image,) = json.load(archive.extractfile("manifest.json"))
            config = json.load(archive.extractfile(image["Config"]))
            for name in image["Layers"]:
                with tarfile.open(fileobj=archive.extractfile(name)) as layer:
                    layers[name] = layer.getmembers()
        return cls(path, config["config"], layers)

    @cached_property
    def entries(self) -> dict[str, tarfile.TarInfo]:
        """By their paths, which start with a slash. No layer of this image takes away what a lower one has."""
        return {f"/{entry.name}": entry for layer in self.layers.values() for entry in layer}

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for layer in self.layers.values() for entry in layer)

    def read(self, path: str) -> bytes:
        """The content of a file."""
        name = path.removeprefix("/")
        (blob,) = [blob for blob, layer in self.layers.items() if any(entry.name == name for entry in layer)]
        with tarfile.open(self.path) as archive, tarfile.open(fileobj=archive.extractfile(blob)) as layer:
            return layer.extractfile(name).read()
