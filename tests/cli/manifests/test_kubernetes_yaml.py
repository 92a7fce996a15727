import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.cli.manifests.kubernetes_yaml import Marks, dump, read_yaml
from hardener.errors import ManifestError


def read(text):
    return read_yaml(text, "file.yaml", 1)


def problem(text, first_line=1):
    with pytest.raises(ManifestError) as caught:
        read_yaml(text, "file.yaml", first_line)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("1:30", "1:30"),
        ("12:30:45", "12:30:45"),
        ("=", "="),
        ("1e3", 1000),
        ("1.5e3", 1500),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1_000", 1000),
        ("0o17", 15),
        ("017", 15),
        ("0899", 899),
        ("0x1F", 31),
        ("0b11", 3),
        ("-12", -12),
        ("-012", -10),
        ("y", True),
        ("N", False),
        ("yes", True),
        ("Off", False),
        ("yEs", "yEs"),
        ("~", None),
        ("null", None),
        ("'null'", "null"),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("!!int 1", 1),
        ("64Mi", "64Mi"),
        ("128974848000m", "128974848000m"),
        ("1.2.3", "1.2.3"),
        ("+", "+"),
        ("-", [None]),
        ("18446744073709551616", 18446744073709551616),
    ],
)
def test_a_plain_scalar_means_what_it_means_to_kubernetes(text, value):
    found = read(text)

    assert found == value
    assert type(found) is type(value)


def test_an_empty_value_is_null():
    assert read("a:\nb: 1\n") == {"a": None, "b": 1}


def test_keys_are_texts():
    assert read("{1: a, true: b, 1.5: c, 2026-01-01: d}") == {"1": "a", "true": "b", "1.5": "c", "2026-01-01": "d"}


def test_anchors_are_written_out_so_that_no_two_places_are_one_object():
    value = read("a: &x {k: [1]}\nb: *x\n")

    assert value == {"a": {"k": [1]}, "b": {"k": [1]}}
    assert value["a"] is not value["b"]
    assert value["a"]["k"] is not value["b"]["k"]


def test_merge_keys_give_way_to_explicit_ones_and_the_first_of_several_wins():
    value = read("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 3}\n")

    assert value["z"] == {"a": 3, "b": 1, "c": 2}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "file.yaml:4: the key 'c' stands twice in one mapping"),
        ("1: a\n'1': b\n", "file.yaml:2: the key '1' stands twice in one mapping"),
        ("a:\n\tb: 1\n", "file.yaml:2: cannot be read as YAML: found character that cannot start any token "),
        ("a: b: c\n", "file.yaml:1: cannot be read as YAML: mapping values are not allowed in this context"),
        ("a: 1\nb: [1\nc: 2\n", "file.yaml:3: cannot be read as YAML: "),
        ("a: \x01\n", "file.yaml:1: cannot be read as YAML: the character #x0001 is not allowed"),
        ("é: ok\nb: \x07\n", "file.yaml:2: cannot be read as YAML: the character #x0007 is not allowed"),
        ("a: &a [*a]\n", "file.yaml:1: an alias stands inside its own anchor, which has no end"),
        ("a: *b\n", "file.yaml:1: cannot be read as YAML: found undefined alias"),
        ("a: !Ref b\n", "file.yaml:1: the tag !Ref does not fit here: Kubernetes reads JSON types only"),
        ("a: !!binary aGk=\n", "file.yaml:1: the tag !!binary does not fit here: Kubernetes reads JSON types only"),
        ("a: !!set {b}\n", "file.yaml:1: the tag !!set means nothing to Kubernetes"),
        ("a: !!int b\n", "file.yaml:1: the tag !!int does not fit here: Kubernetes reads JSON types only"),
        ("a: .inf\n", "file.yaml:1: .inf is a number that JSON cannot hold; "),
        ("a: 1e999\n", "file.yaml:1: 1e999 is a number that JSON cannot hold; "),
        ("[a]: b\n", "file.yaml:1: a key must be a text"),
        ("~: b\n", "file.yaml:1: a key must be a text"),
        ("<<: 1\n", "file.yaml:1: << merges mappings only"),
        ("a: {{ .Values.a }}\n", "file.yaml:1: a key must be a text (it looks like a template: render it first"),
        ("{{ if .Values.a }}\na: 1\n", "(it looks like a template: render it first, as with `helm template`)"),
        ("[" * 101, "file.yaml:1: cannot be read as YAML: nested more than 100 levels deep"),
        ("[" * 1_000_000, "file.yaml:1: cannot be read as YAML: nested more than 100 levels deep"),
        ("a: 1\n...\nb: 2\n", "file.yaml:3: cannot be read as YAML: "),
    ],
)
def test_what_cannot_be_read_is_one_line_that_says_where(text, expected):
    assert expected in problem(text)


def test_lines_are_those_of_the_whole_file():
    assert problem("a: 1\na: 2\n", first_line=40).startswith("file.yaml:41: ")


def test_a_bomb_of_aliases_is_refused_before_it_goes_off():
    levels = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]

    assert "its aliases stand for more than 1,000,000 characters" in problem("\n".join(levels))


def test_aliases_cannot_nest_deeper_than_brackets_may():
    levels = ["a0: &a0 " + "[" * 60 + "]" * 60, "a1: &a1 " + "[" * 60 + "*a0" + "]" * 60]

    assert "its aliases make it more than 100 levels deep" in problem("\n".join(levels))


def test_a_large_document_without_aliases_is_no_bomb():
    assert len(read("a: " + "x" * 2_000_000)["a"]) == 2_000_000


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["y", "1e3", "1:30", "2026-01-31", "=", "<<", "~", "", " a", "a ", "a\nb", "\n", "#", "- a", "a: b", "0o7", "\t"]
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False).filter(lambda n: not n.is_integer())
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(VALUES)
def test_what_is_written_is_read_again_unchanged(value):
    assert read(dump(value)) == value


@settings(deadline=None)
@given(st.dictionaries(TEXTS, TEXTS, max_size=4))
def test_other_readers_of_yaml_find_the_same_texts(value):
    assert yaml.safe_load(dump(value)) == value


def test_keys_keep_their_order_and_lists_are_not_indented():
    text = "kind: Pod\napiVersion: v1\nspec:\n  b:\n  - name: x\n    args:\n    - |\n      one\n      two\n  a: {}\n"

    assert dump(read(text)) == text


def test_marks_find_the_line_of_a_path_or_of_its_nearest_parent():
    marks = Marks("a:\n  b:\n  - c: 1\n  - c: 2\n    d: 3\n")

    assert marks.line(()) == 0
    assert marks.line(("a", "b")) == 1
    assert marks.line(("a", "b", 1)) == 3
    assert marks.line(("a", "b", 1, "d")) == 4
    assert marks.line(("a", "b", 1, "absent", "deeper")) == 3
    assert marks.line(("a", "b", 7)) == 1
