"""The part of the Dockerfile that is a program of its own; building the image shows the rest of it."""

import os

import pytest

from deploy.image.interpreter import below, copy, shared_libraries

FAKE_LDD = (
    "#!/bin/sh\nprintf '%s:\\n\\tlibodd.so.1 => not found\\n\\tlibc.so.6 => /lib/libc.so.6 (0x00007f)\\n' \"$@\"\n"
)


@pytest.fixture
def machine(tmp_path):
    """Folders as Debian has them: /lib is a link to /usr/lib, a library goes by two names, and a link is relative."""
    top = tmp_path / "machine"
    (top / "usr/lib").mkdir(parents=True)
    (top / "etc").mkdir()
    (top / "lib").symlink_to("usr/lib")
    (top / "usr/lib/libz.so.1.2").write_text("library")
    (top / "usr/lib/libz.so.1").symlink_to("libz.so.1.2")
    (top / "etc/os-release").symlink_to("../usr/lib/os-release")
    (top / "usr/lib/os-release").write_text("Debian")
    return top


def tree(top):
    """Files, and where links lead to."""
    found = sorted(path for path in top.rglob("*") if path.is_symlink() or path.is_file())
    return {str(path.relative_to(top)): str(path.readlink()) if path.is_symlink() else "file" for path in found}


def test_a_file_behind_links_is_copied_with_the_links_on_the_way(machine, tmp_path):
    root = tmp_path / "root"
    copy(machine / "lib/libz.so.1", root)

    assert tree(below(machine, root)) == {
        "lib": "usr/lib",
        "usr/lib/libz.so.1": "libz.so.1.2",
        "usr/lib/libz.so.1.2": "file",
    }
    assert (below(machine, root) / "lib/libz.so.1").read_text() == "library"


def test_what_was_copied_before_may_be_copied_again(machine, tmp_path):
    root = tmp_path / "root"
    copy(machine / "lib/libz.so.1", root)
    copy(machine / "usr/lib/libz.so.1", root)
    copy(machine / "etc/os-release", root)

    assert tree(below(machine, root)) == {
        "lib": "usr/lib",
        "usr/lib/libz.so.1": "libz.so.1.2",
        "usr/lib/libz.so.1.2": "file",
        "etc/os-release": "../usr/lib/os-release",
        "usr/lib/os-release": "file",
    }


def test_a_library_that_the_base_lacks_ends_the_build_with_its_name(tmp_path, monkeypatch):
    (tmp_path / "ldd").write_text(FAKE_LDD)
    (tmp_path / "ldd").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(SystemExit, match=r"^the base lacks libodd\.so\.1: "):
        shared_libraries([tmp_path / "module.so"])
