"""YAML itself: what is no document, and what YAML 1.1 would read in its own way."""

import pytest

from hardener.errors import ConfigError
from hardener.policy.document import compose, plain
from hardener.policy.reading import SIZE_LIMIT, load_config, parse_config
from tests.policy.configs import HEADER, mistakes, policy, read

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ": is empty: it must hold at least apiVersion and kind"),
        ("# nothing\n", ": is empty: it must hold at least apiVersion and kind"),
        ("- a", ":1: must be a mapping that begins with apiVersion: hardener.dev/v1"),
        ("just words", ":1: must be a mapping that begins with apiVersion: hardener.dev/v1"),
        ("a: 1\n---\nb: 2\n", ":2: a second document begins here: a configuration is one document"),
        ("a: \x00", ": is not a text file: control characters are not allowed"),
        ("a: \ud800", ": is not a text file: it holds half a character"),
        ("&a {b: *a}", ":1: b: an alias leads back to what holds it"),
        ("[" * 10_000 + "]" * 10_000, ":1: is nested more than 32 levels deep"),
        ("{a: " * 10_000, ":1: is nested more than 32 levels deep"),
        ("? [a]\n: b\n", ":1: a key must be a word, not a list or a mapping"),
        ("a: !secret x", ":1: a: the tag '!secret' means nothing here: leave it out"),
    ],
)
def test_what_is_no_document_gets_one_clear_error(text, expected):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "config.yaml")

    assert [str(problem) for problem in caught.value.problems] == [f"config.yaml{expected}"]


@pytest.mark.parametrize(
    ("text", "line"), [("a: [1", 1), ("a: 1\nb: 2: 3", 2), ("a: 'x", 1), ("a: *b", 1), ("a: 1\n  b: 2", 2), ("%", 1)]
)
def test_broken_syntax_is_named_with_its_line(text, line):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "config.yaml")

    (problem,) = caught.value.problems
    assert problem.message.startswith("is not YAML: ")
    # Where a text ends too early, the two parsers of PyYAML name its last line or the one behind it.
    assert problem.line in (line, line + 1)


def test_a_tab_is_called_by_its_name():
    with pytest.raises(ConfigError, match="indent with spaces, not with a tab"):
        parse_config("a:\n\tb: 1\n", "config.yaml")


def test_a_few_lines_of_aliases_cannot_stand_for_millions_of_values():
    with pytest.raises(ConfigError, match="more than 200000 values, its aliases followed"):
        parse_config(BOMB, "config.yaml")


def test_aliases_are_read_where_they_stand():
    config = read("""
        policies:
          a: {controls: {resources: {requests: &small {cpu: 10m, memory: 20Mi}}}}
          b: {extends: none, controls: {resources: {requests: *small}}}
        """)

    requests = [running.settings.requests for running in config.policies["b"].controls]
    assert requests == [{"cpu": "10m", "memory": "20Mi"}]


def test_a_merge_key_is_refused_by_name():
    assert mistakes("policies:\n  a: &a {mode: dry-run}\n  b:\n    <<: *a\n") == [
        "6: policies.b.<<: YAML merge keys are not read: let a policy extend another"
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-2", -2),
        ("0.5", 0.5),
        ("1.5e+3", 1500.0),
        ("1e3", "1e3"),
        ("true", True),
        ("null", None),
        ("", None),
        ("010", "010"),
        (".5", ".5"),
        ("+1", "+1"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1:30", "1:30"),
        ("2027-01-31", "2027-01-31"),
        (".inf", ".inf"),
        ("9" * 5000, "9" * 5000),
        ("'1'", "1"),
        ("!!str 1", "1"),
    ],
)
def test_a_number_is_what_yaml_and_json_both_call_one_and_other_words_stay_as_written(text, value):
    node, _ = compose(f"a: {text}", "config.yaml")

    read_value = plain(node)["a"]
    assert (read_value, type(read_value)) == (value, type(value))


def test_a_quantity_may_be_a_plain_number_and_is_kept_as_written():
    (resources,) = policy("""
        extends: none
        controls:
          resources:
            requests: {cpu: 0.10, memory: 33554432}
        """).controls

    assert resources.settings.requests == {"cpu": "0.10", "memory": "33554432"}


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + HEADER.encode())

    assert load_config(path).file == str(path)


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "config.yaml"

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    assert str(caught.value) == f"{path}: cannot be read: No such file or directory"


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a: \xff\xfe", "is not UTF-8 text: byte 3 fits no character"),
        (b"#" * (SIZE_LIMIT + 1), "is larger than 1024 KiB"),
        ("é".encode() * SIZE_LIMIT, "is larger than 1024 KiB"),
    ],
)
def test_a_file_that_is_no_usable_text_gets_one_clear_error(tmp_path, data, expected):
    path = tmp_path / "config.yaml"
    path.write_bytes(data)

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    assert str(caught.value) == f"{path}: {expected}"
