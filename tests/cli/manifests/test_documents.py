import json

import pytest

from hardener.cli.manifests.documents import Manifest, documents, manifests, read_documents
from hardener.errors import Problem
from tests.cli.command_line import DEPLOYMENT, HARDENED_POD, SERVICE


def read(data):
    return list(read_documents(data if isinstance(data, bytes) else data.encode(), "file.yaml"))


def items(data):
    return [item for document in read(data) for item in manifests(document)]


def problems(data):
    return [str(item) for item in items(data) if isinstance(item, Problem)]


STREAMS = [
    f"{DEPLOYMENT}---\n{SERVICE}---\n{HARDENED_POD}",
    f"# a comment\n---\n{DEPLOYMENT}--- # another\n{SERVICE}",
    f"---\n---\n\n{DEPLOYMENT}---\n",
    f"\ufeff{DEPLOYMENT}",
    DEPLOYMENT.replace("\n", "\r\n") + "---\r\n" + SERVICE.replace("\n", "\r\n"),
    "%YAML 1.1\n# directives come first\n---\na: 1\n---\nb: 2",
    "--- {kind: A, apiVersion: v1}\n--- |\n  text\n",
    '{"a": 1}\n{"b": 2}{"c":3}  \n',
    '  {"a": [1,\n 2]}\n---\n{"b": 2}\n',
    "{flow: yaml, not: json}\n",
    "kind: broken: here\n---\na: 1\n",
    '{"a": 1} {"b": oops}\n',
    "---no marker\n",
]


@pytest.mark.parametrize("stream", STREAMS)
def test_the_texts_of_the_documents_together_are_the_stream(stream):
    assert "".join(document.text for document in read(stream)) == stream


@pytest.mark.parametrize("stream", STREAMS)
def test_every_document_knows_the_line_on_which_it_begins(stream):
    lines = stream.split("\n")

    for document in read(stream):
        first = document.text.split("\n")[0]
        assert lines[document.line - 1].endswith(first) or lines[document.line - 1].startswith(first)


def test_values_of_a_stream_come_in_order():
    stream = '---\na: 1\n---\n{"b": 2}{"c": 3}\n--- {d: 4}\n---\n# nothing\n'

    assert [document.value for document in read(stream)] == [{"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}, None]


def test_json_may_be_indented_with_tabs():
    assert read('{\n\t"a": [\n\t\t1\n\t]\n}\n')[0].value == {"a": [1]}


def test_a_directive_belongs_to_the_document_below_it():
    assert [document.value for document in read("%YAML 1.1\n---\na: 1\n---\nb: 2")] == [{"a": 1}, {"b": 2}]


def test_a_broken_document_leaves_the_others_alone():
    stream = f"{SERVICE}---\na: b: c\n---\n{DEPLOYMENT}"

    found = items(stream)

    assert [item.kind for item in found if isinstance(item, Manifest)] == ["Service", "Deployment"]
    assert problems(stream) == [
        "file.yaml:5: cannot be read as YAML: mapping values are not allowed in this context",
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x00\x01binary", "file.yaml: is no text: it holds zero bytes"),
        (b"a: 1\nb: \xff\n", "file.yaml:2: is not UTF-8: byte 0xff cannot stand here"),
        (b"metadata: {}\n", "file.yaml:1: kind: every Kubernetes object needs it, as a text"),
        (b"---\nkind: Pod\nspec: {}\n", "file.yaml:2: apiVersion: every Kubernetes object needs it, as a text"),
        (b"apiVersion: v1\nkind: 1\n", "file.yaml:2: kind: every Kubernetes object needs it, as a text"),
        (b"just text\n", "file.yaml:1: is no Kubernetes object: a mapping with apiVersion and kind is expected"),
        (b"- 1\n", "file.yaml:1: is no Kubernetes object: a mapping with apiVersion and kind is expected"),
        (b'{"a": 1,\n "a": 2}\n', "file.yaml:1: the key 'a' stands twice in one mapping"),
        (b'{"a": NaN, "b"}}', "file.yaml:1: cannot be read as JSON: NaN is no JSON number"),
        (b'{"a": 1e999}', "file.yaml:1: cannot be read as JSON: 1e999 is too large a number"),
        (b'{"a": "\\ud800"}', "file.yaml:1: cannot be read as JSON: a string holds half of a surrogate pair"),
        (b'{"a":\n}{', "file.yaml:2: cannot be read as JSON: Expecting value (column 1)"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "file.yaml:1: nested more than 100 levels deep"),
        (b'{"a":' * 100_000, "file.yaml:1: nested more than 100 levels deep"),
    ],
)
def test_bad_input_is_one_clear_line(data, expected):
    assert problems(data) == [expected]


def test_a_list_gives_its_items_with_their_places():
    stream = json.dumps(
        {
            "apiVersion": "v1",
            "kind": "List",
            "items": [
                {"apiVersion": "v1", "kind": "Service"},
                {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod"}]},
                {"kind": "Pod"},
                5,
            ],
        }
    )

    found = items(stream)

    assert [(item.kind, item.root) for item in found if isinstance(item, Manifest)] == [
        ("Service", ("items", 0)),
        ("Pod", ("items", 1, "items", 0)),
    ]
    assert problems(stream) == [
        "file.yaml:1: items[2].apiVersion: every Kubernetes object needs it, as a text",
        "file.yaml:1: items[3]: is no Kubernetes object: a mapping with apiVersion and kind is expected",
    ]


def test_the_items_of_a_typed_list_may_leave_out_their_kind():
    (item,) = items("apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- spec: {}\n")

    assert (item.api_version, item.kind, item.root) == ("apps/v1", "Deployment", ("items", 0))


def test_a_kind_that_merely_ends_like_a_list_is_an_object():
    (item,) = items("apiVersion: example.com/v1\nkind: AllowList\nspec: {}\n")

    assert item.kind == "AllowList"


def test_a_folder_gives_all_its_manifests_sorted(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("b.yml", "a.yaml", "c.JSON", "notes.txt", "sub/a.yaml"):
        (tmp_path / name).write_text('{"kind": "x", "apiVersion": "v1"}')

    files = [document.file for document in documents([str(tmp_path)])]

    assert files == [str(tmp_path / name) for name in ("a.yaml", "b.yml", "c.JSON", "sub/a.yaml")]


@pytest.mark.parametrize("content", ["", "\n\n", "# only a comment\n", "---\n---\n"])
def test_input_without_any_object_is_a_problem(tmp_path, content):
    file = tmp_path / "empty.yaml"
    file.write_text(content)

    found = [str(document.problem) for document in documents([str(file)]) if document.problem]

    assert found == [f"{file}: holds no Kubernetes object"]


def test_an_empty_file_in_a_folder_with_others_is_none(tmp_path):
    (tmp_path / "a.yaml").write_text("")
    (tmp_path / "b.yaml").write_text(SERVICE)

    assert [document.problem for document in documents([str(tmp_path)])] == [None]


def test_a_folder_without_manifests_is_a_problem(tmp_path):
    assert [str(document.problem) for document in documents([str(tmp_path)])] == [
        f"{tmp_path}: holds no Kubernetes object"
    ]


def test_a_missing_file_is_a_problem_and_the_next_one_is_read(tmp_path):
    file = tmp_path / "service.yaml"
    file.write_text(SERVICE)

    missing, service = documents([str(tmp_path / "absent.yaml"), str(file)])

    assert str(missing.problem) == f"{tmp_path / 'absent.yaml'}: cannot be read: No such file or directory"
    assert service.problem is None


def test_a_name_that_no_file_can_have_is_a_problem():
    (document,) = documents(["a" * 5000])

    assert str(document.problem).endswith("a: cannot be read: File name too long")


def test_a_link_that_leads_nowhere_is_a_problem(tmp_path):
    (tmp_path / "link.yaml").symlink_to(tmp_path / "absent")

    (document,) = documents([str(tmp_path)])

    assert str(document.problem) == f"{tmp_path / 'link.yaml'}: cannot be read: No such file or directory"
