"""Container images made with the standard library: layers as tar files, and one archive that containerd imports.

Format: Docker Image Specification v1.2, "Combined Image JSON + Filesystem Changeset Format", as `docker save` writes it.
"""

import hashlib
import io
import json
import platform
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

EPOCH = "1970-01-01T00:00:00Z"
BUSYBOX = Path("/bin/busybox")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
CAPABILITY_XATTR = "SCHILY.xattr.security.capability"

USER = 1000
"""The user `app` of the base image."""


@dataclass(frozen=True)
class File:
    """A regular file; `capabilities` is the bit mask that its file capabilities permit, all of them effective.

    `modified` is in seconds since 1970; Python takes a compiled module only where it fits that of the source.
    """

    path: str
    data: bytes
    mode: int = 0o644
    owner: int = 0
    capabilities: int = 0
    modified: int = 0


@dataclass(frozen=True)
class Folder:
    """A directory."""

    path: str
    mode: int = 0o755
    owner: int = 0


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    path: str
    target: str


class Layer:
    """Entries as a tar, the same bytes each time; nothing is read before it is needed, and that once only."""

    def __init__(self, entries: Callable[[], Iterable[File | Folder | Link]]):
        self._entries = entries

    @cached_property
    def tar(self) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for entry in self._entries():
                tar.addfile(*_member(entry))
        return buffer.getvalue()

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.tar).hexdigest()


@dataclass(frozen=True)
class Image:
    """A reference such as `localhost/app:root`, layers from the lowest up, and what a Dockerfile would say."""

    reference: str
    layers: Sequence[Layer]
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    user: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/bin"})


def _member(entry: File | Folder | Link) -> tuple[tarfile.TarInfo, io.BytesIO | None]:
    info = tarfile.TarInfo(entry.path.lstrip("/"))
    match entry:
        case File():
            info.mode, info.uid, info.gid = entry.mode, entry.owner, entry.owner
            info.size, info.mtime = len(entry.data), entry.modified
            if entry.capabilities:
                info.pax_headers = {CAPABILITY_XATTR: _capability_xattr(entry.capabilities)}
            return info, io.BytesIO(entry.data)
        case Folder():
            info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, entry.mode, entry.owner, entry.owner
        case Link():
            info.type, info.linkname = tarfile.SYMTYPE, entry.target
    return info, None


def _capability_xattr(permitted: int) -> str:
    """`struct vfs_cap_data`, revision 2, with the effective bit (linux/capability.h); all of its bytes are below 128."""
    words = (0x02000001, permitted & 0xFFFFFFFF, 0, permitted >> 32, 0)
    return b"".join(word.to_bytes(4, "little") for word in words).decode("ascii")


def _base() -> Iterator[File | Folder | Link]:
    for path in ("bin", "dev", "etc", "home", "proc", "root", "run", "sys", "var", "var/log"):
        yield Folder(path)
    yield Folder("tmp", 0o1777)
    yield Folder("var/cache", 0o1777)
    yield File("bin/busybox", BUSYBOX.read_bytes(), 0o755)
    names = subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True).stdout.split()
    for name in names:
        if name != "busybox":
            yield Link(f"bin/{name}", "busybox")
    yield File("etc/passwd", f"root:x:0:0::/root:/bin/sh\napp:x:{USER}:{USER}::/home:/bin/sh\n".encode())
    yield File("etc/group", f"root:x:0:\napp:x:{USER}:\n".encode())


BASE = Layer(_base)
"""Busybox under all of its names, the usual folders, and a user `app`."""


def write_archive(images: Iterable[Image], path: Path) -> None:
    """Write all images into one archive; a layer that several of them share stands there once."""
    blobs: dict[str, bytes] = {}
    manifest = []
    for image in images:
        config = json.dumps(_config(image), sort_keys=True).encode()
        config_name = f"{hashlib.sha256(config).hexdigest()}.json"
        layers = {f"{layer.digest}.tar": layer.tar for layer in image.layers}
        blobs |= {config_name: config, **layers}
        manifest.append({"Config": config_name, "RepoTags": [image.reference], "Layers": list(layers)})
    blobs["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(path, "w") as tar:
        for name, data in blobs.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def _config(image: Image) -> dict[str, object]:
    return {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "created": EPOCH,
        "config": {
            "Env": [f"{name}={value}" for name, value in image.environment.items()],
            "WorkingDir": "/",
            "User": image.user,
            "Entrypoint": list(image.entrypoint) or None,
            "Cmd": list(image.command) or None,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in image.layers]},
        "history": [{"created": EPOCH, "created_by": "tests"} for _ in image.layers],
    }
