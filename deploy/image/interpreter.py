"""Copy the Python that runs this into an empty root, with all that it and some folders of packages need to run.

usage: interpreter.py ROOT PACKAGES...; standard library only, as root, on Debian or what is made of it.

Shared libraries are those that the dynamic linker finds for the interpreter and for extension modules. For scanners,
and for the licenses, ROOT holds what dpkg knows of the packages that files come from, where Distroless images have it
too: var/lib/dpkg/status.d and usr/share/doc.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from compileall import compile_dir
from pathlib import Path
from py_compile import PycInvalidationMode

USER = 65532

LEFT_OUT = (
    *("__pycache__", "config-*", "dist-packages", "distutils", "site-packages", "test", "tests", "EXTERNALLY-MANAGED"),
    *("ensurepip", "idlelib", "lib2to3", "pydoc_data", "tkinter", "turtledemo", "turtle.py"),
    # Each of these needs a library of its own.
    *("curses", "_curses*", "_dbm*", "_gdbm*", "nis.*", "readline*", "sqlite3", "_sqlite3*", "_tkinter*"),
)
"""Parts of the standard library that no server needs, and what Debian and pip put beside it."""

AS_THEY_ARE = ("/etc/os-release", "/etc/ld.so.cache", "/etc/ssl/certs/ca-certificates.crt")
WRITTEN = {
    "etc/passwd": f"root:x:0:0:root:/:/usr/sbin/nologin\nhardener:x:{USER}:{USER}:hardener:/:/usr/sbin/nologin\n",
    "etc/group": f"root:x:0:\nhardener:x:{USER}:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}

_LINKED = re.compile(r"^\s(?:\S+ => )?(/\S+) \(0x", re.MULTILINE)
_MISSING = re.compile(r"^\s(\S+) => not found", re.MULTILINE)


def main(root: Path, packages: list[Path]) -> None:
    """Fill the root."""
    interpreter = Path(sys.executable)
    library = Path(sysconfig.get_path("stdlib"))
    copy_library(library, root)
    libraries = shared_libraries([interpreter, *extension_modules([below(library, root), *packages])])
    for path in (interpreter, *libraries, *map(Path, AS_THEY_ARE)):
        copy(path, root)
    for name, text in WRITTEN.items():
        (root / name).write_text(text)
    of_library = (library / path.relative_to(below(library, root)) for path in below(library, root).rglob("*.*"))
    describe_packages({interpreter, interpreter.resolve(), *of_library, *libraries}, root)


def below(path: Path, root: Path) -> Path:
    """Where a path of this machine is in the root."""
    return root / path.relative_to("/")


def copy(path: Path, root: Path) -> None:
    """Copy a file to its place; a symbolic link, be it the file or a folder on the way, with what it leads to."""
    link = next((each for each in (*reversed(path.parents), path) if each.is_symlink()), None)
    target = below(link or path, root)
    target.parent.mkdir(parents=True, exist_ok=True)
    if link is None:
        shutil.copy2(path, target)
        return
    if not target.is_symlink():
        target.symlink_to(link.readlink())
    copy(Path(os.path.normpath(link.parent / link.readlink() / path.relative_to(link))), root)


def copy_library(library: Path, root: Path) -> None:
    """Copy the standard library and compile it; such bytecode never looks at its source, nor at times."""
    target = below(library, root)
    shutil.copytree(library, target, ignore=shutil.ignore_patterns(*LEFT_OUT), ignore_dangling_symlinks=True)
    never_checked = PycInvalidationMode.UNCHECKED_HASH
    if not compile_dir(target, quiet=1, invalidation_mode=never_checked, stripdir=str(root), prependdir="/"):
        sys.exit(f"a module of {library} cannot be compiled")


def extension_modules(folders: Iterable[Path]) -> Iterator[Path]:
    """The extension modules in folders, and the libraries that packages bring themselves."""
    for folder in folders:
        yield from (path for path in folder.rglob("*.so*") if path.is_file())


def shared_libraries(files: Iterable[Path]) -> list[Path]:
    """What files are linked with; SystemExit where something of it is not there."""
    said = output("ldd", *files)
    if missing := sorted(set(_MISSING.findall(said))):
        sys.exit(f"the base lacks {', '.join(missing)}: take one that has the packages with these shared libraries")
    return sorted({Path(path) for path in _LINKED.findall(said)})


def describe_packages(files: Iterable[Path], root: Path) -> None:
    """Write down the Debian packages of files. A file that none of them owns, as in /usr/local, is passed over.

    Where /lib is a link to /usr/lib, dpkg knows a file by either name.
    """
    names = {name for path in map(str, files) for name in (path, f"/usr{path}", path.removeprefix("/usr"))}
    # It fails because of any one name that it does not know.
    found = output("dpkg-query", "--search", *sorted(names), check=False)
    folder = root / "var/lib/dpkg/status.d"
    folder.mkdir(parents=True)
    owners = (line.partition(": ")[0] for line in found.splitlines() if not line.startswith("diversion by "))
    for package in sorted(set(owners)):
        name = package.partition(":")[0]
        (folder / name).write_text(output("dpkg-query", "--status", package))
        copyright_ = Path("/usr/share/doc", name, "copyright")
        if copyright_.exists():
            copy(copyright_, root)


def output(*command: str | Path, check: bool = True) -> str:
    """What a program of the base prints."""
    done = subprocess.run(command, check=check, capture_output=True, text=True)  # noqa: S603  what runs stands above
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
