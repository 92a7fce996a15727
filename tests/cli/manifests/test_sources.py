import os
import socket

import pytest

from hardener.cli.manifests import documents as documents_module
from hardener.cli.manifests import nodes
from hardener.cli.manifests.documents import documents
from hardener.cli.manifests.sources import FILE_LIMIT, sources
from tests.cli.command_line import DEPLOYMENT, SERVICE, hardener

NOBODY = 65534


def problems(*names):
    return [str(document.problem) for document in documents([str(name) for name in names]) if document.problem]


@pytest.fixture
def nobody():
    """Be somebody without rights; who runs this as root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


@pytest.fixture
def folder(tmp_path):
    """A folder that anybody can come to."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and parent.stat().st_mode & 0o055 != 0o055:
            parent.chmod(parent.stat().st_mode | 0o055)
    return tmp_path


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path):
    file = tmp_path / "large.yaml"
    with file.open("wb") as opened:
        opened.truncate(100 * 2**20)

    (source,) = sources(str(file))

    assert (source.data, source.problem) == (b"", "is larger than 64 MiB: split it")
    assert problems(file) == [f"{file}: is larger than 64 MiB: split it"]


def test_standard_input_has_the_same_limit(monkeypatch):
    monkeypatch.setattr("hardener.cli.manifests.sources.FILE_LIMIT", 50)

    result = hardener("preview", "-", stdin="#" * 51)

    assert result.code == 2
    assert result.problems == ["<stdin>: is larger than 0 MiB: split it"]
    assert FILE_LIMIT == 64 * 2**20


def test_a_document_over_its_limit_costs_only_itself(monkeypatch):
    monkeypatch.setattr(documents_module, "DOCUMENT_LIMIT", 250)

    result = hardener("preview", "-", "-o", "json", stdin=f"{SERVICE}---\na: {'x' * 300}\n---\n{DEPLOYMENT}")

    assert result.problems == [
        "<stdin>:4: a document of more than 0 MiB: ask the cluster for less at once, or split it"
    ]
    assert [entry["name"] for entry in result.json] == ["web"]


def test_a_document_of_too_many_values_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(nodes, "NODE_LIMIT", 1000)
    file = tmp_path / "many.yaml"
    file.write_text("a: 1\nb: [" + "1, " * 1200 + "1]\n")

    assert problems(file) == [f"{file}:2: cannot be read as YAML: holds more than 1,000 values: split it"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "z.yaml").write_text(SERVICE)

    assert problems(tmp_path) == [f"{tmp_path / 'pipe.yaml'}: is no file, but a named pipe: pipe it into `-`"]
    assert problems("/dev/zero") == ["/dev/zero: is no file, but a device"]


def test_a_socket_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("s.yaml")

        assert problems("s.yaml") == ["s.yaml: is no file, but a socket"]


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="needs /dev/fd")  # noqa: PTH112  the system's own path
def test_what_a_shell_pipes_in_by_name_is_read():
    read_end, write_end = os.pipe()
    os.write(write_end, SERVICE.encode())
    os.close(write_end)

    (source,) = sources(f"/dev/fd/{read_end}")
    os.close(read_end)

    assert source.data == SERVICE.encode()


def test_a_folder_without_permission_is_named_and_the_rest_is_read(folder, nobody):
    os.seteuid(os.getuid())
    closed = folder / "closed"
    closed.mkdir()
    closed.chmod(0)
    (folder / "open.yaml").write_text(SERVICE)
    (folder / "open.yaml").chmod(0o644)
    (folder / "secret.yaml").write_text(SERVICE)
    (folder / "secret.yaml").chmod(0)
    if os.getuid() == 0:
        os.seteuid(NOBODY)

    found = list(documents([str(folder)]))

    assert [str(document.problem) for document in found if document.problem] == [
        f"{closed}: cannot be read: Permission denied",
        f"{folder / 'secret.yaml'}: cannot be read: Permission denied",
    ]
    assert [document.value["kind"] for document in found if document.value] == ["Service"]
    closed_mode = 0o755
    os.seteuid(os.getuid())
    closed.chmod(closed_mode)


BOMB = "\n".join(
    ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x00\x01\x02", "is no text: it holds zero bytes"),
        ("kind: Pod\n".encode("utf-16"), "is no text: it holds zero bytes"),
        (b"a: \xff", "is not UTF-8"),
        (b"kind: Pod\n\tapiVersion: v1\n", "there is a tab"),
        (BOMB.encode(), "its aliases stand for more than 1,000,000 characters"),
        (b"a: &a\n  b: *a\n", "an alias stands inside its own anchor, which has no end"),
        (b"- " * 200_000, "nested more than 100 levels deep"),
        (b"{ " * 200_000, "cannot be read as JSON"),
        (b'{"a":' * 200_000, "nested more than 100 levels deep"),
        ("".join(f"{' ' * n}a:\n" for n in range(500)).encode(), "nested more than 100 levels deep"),
        ("".join(f"? [\n{' ' * n}a]\n{' ' * n}: " for n in range(300)).encode(), ""),
        (b"&a a: *a\n" * 3, ""),
    ],
)
@pytest.mark.parametrize("command", ["preview", "fix"])
def test_bad_input_is_one_line_and_exit_code_2_whatever_it_is(content, message, command, tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_bytes(content)

    result = hardener(command, file)

    assert result.code == 2
    assert len(result.problems) == 1
    assert result.problems[0].startswith(f"{file}")
    assert message in result.problems[0]
    assert file.read_bytes() == content
