"""Additions that are shown without another reading: each of them would have been read as what was asked for."""

from itertools import product

import pytest

from hardener.cli.manifests.additions import only_adds
from hardener.cli.manifests.changes import Change, applied, change_of
from hardener.cli.manifests.documents import read_documents
from hardener.cli.manifests.draft import Draft, Splice
from hardener.cli.manifests.editing import edition
from hardener.cli.manifests.layout import Layout

POD = """\
# a pod
kind: Pod
metadata:
  name: a
  labels: {b: c}
spec:
  containers:
  - name: app  # the first
    image: "a:1"
    # behind the image
    args:
    - -c
    - several
      lines
  # above the second
  - name: other
    env:
      - name: A
        value: 1

  hostname: h
# the end
"""
TRICKY = {
    "a pod": POD,
    "line ends of Windows": POD.replace("\n", "\r\n"),
    "blocks of text": "a:\n  b: |\n    x\n\n  c: >-\n    y\n# z\nd: |+\n  e\n\nf:\n- |\n  g\n",
    "blocks of text that others end": "a:\n  b: |2\n      x\n  # no comment\nc:\n- d: >\n   y\n",
    "empty values": "a:\n  b:\n  c:\nd:\n-\n- e:\nf:\ng: ''\n",
    "lists in lists": "a:\n- - b\n  - c\n- - - d\n-   - e\n    - f: g\n      h: i\n",
    "unusual keys": '? a\n: b: c\n? d\n: - e\n"f": g\n? - h\n: i\n',
    "tags": "!!map\na: !!map\n  b: !!str c\nd: !!seq\n- e\n",
    "flow style": "a: {b: [c,\n  d], e: f}\ng:\n- [h,\n  i]\n- {j: k\n  }\nl: m\n",
    "texts of several lines": "a:\n  b: one\n    two\n\n    three\n  c: 'one\n    # two\n\n    three'\nd: e\n",
    "markers": "%YAML 1.1\n---\na:\n  b: c\n... # end\n# behind\n",
    "anchors": "a: &a\n  b: c\nd: *a\ne:\n  <<: *a\n  f: g\n",
    "merged in place": "a:\n  <<: {new: 1}\n  b: c\n<<: {a: 1}\n",
    "no line end": "a:\n  b: c",
    "seldom line ends": "a:\n  b: c # d\x85  e: f\n  g: h\u2028i: j\n",
    "one carriage return": "a:\n  b: c # d\r  e: f\n",
}


def document(text):
    (found,) = read_documents(text.encode(), "file.yaml")
    return found


def is_read_as(text, value):
    found = [*read_documents(text.encode(), "file.yaml")]
    return len(found) == 1 and found[0].problem is None and found[0].value == value


def holders(value, path=()):
    if isinstance(value, dict | list):
        yield path, value
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from holders(each, (*path, key))


def starts(text):
    return [0, *(index + 1 for index, char in enumerate(text) if char == "\n")]


def addition(holder, present, key, position, column):
    """A splice at some place in some column that says to add to the holder, and the change that this would be."""
    value = {"x": [1, {"y": "z"}]}
    if isinstance(present, list):
        lines, path, change = Layout().items([value], column), holder, Change(appended=[value])
    else:
        lines, path, change = Layout().entry(key, value, column), (*holder, key), Change(within={key: Change(value)})
    for step in reversed(holder):
        change = Change(within={step: change})
    return Splice(position, position, "".join(f"{line}\n" for line in lines), path), change


def both(one, other):
    """Two changes that add, as one."""
    within = {**one.within}
    for key, change in other.within.items():
        within[key] = both(within[key], change) if key in within else change
    return Change(appended=[*one.appended, *other.appended], within=within)


def check(found, splices, change):
    """Whether the additions are certain; if so, they are read as such."""
    if not only_adds(found.text, found.root, found.value, splices, change):
        return False
    draft = Draft(found.text, found.root)
    draft.splices = [*splices]
    text, ordered = draft.finished()
    assert ordered == splices
    assert is_read_as(text, applied(change, found.value)), text
    return True


@pytest.mark.parametrize("text", [*TRICKY.values()], ids=[*TRICKY])
def test_lines_in_any_place_and_column_are_certain_only_if_they_are_read_as_what_they_are_for(text):
    found = document(text)
    places = [*holders(found.value)]

    for (holder, present), position, column in product(places, starts(text), range(10)):
        for key in ("new", "b", "true"):
            check(found, *as_list(addition(holder, present, key, position, column)))


def as_list(pair):
    splice, change = pair
    return [splice], change


def test_two_additions_in_any_order_are_certain_only_if_they_are_read_as_such():
    found = document(POD)
    alone = [
        (splice, change)
        for (holder, present), position, column in product(holders(found.value), starts(POD), range(10))
        for splice, change in [addition(holder, present, "new", position, column)]
        if check(found, [splice], change)
    ]

    certain = 0
    for (one, its), (other, others) in product(alone, alone):
        if one.start <= other.start and one.path != other.path:
            certain += check(found, [one, other], both(its, others))

    assert len({splice.path for splice, _ in alone}) == 9
    assert certain > len(alone)


@pytest.mark.parametrize(
    "text",
    ["a: &a\n  b: c\nd: *a\n", "a:\n  b: c # d\x85", "a:\n  b: c", "a:\n  b: |\n    c\n", "a:\n  b:\n"],
)
def test_behind_what_may_reach_further_nothing_is_certain(text):
    found = document(text)

    certain = [
        check(found, *as_list(addition(holder, present, "new", position, column)))
        for (holder, present), position, column in product(holders(found.value), starts(text), range(4))
    ]

    assert not any(certain)


def test_what_is_added_to_a_usual_pod_is_certain():
    found = document(POD)
    operations = [
        {"op": "add", "path": "/spec/containers/0/securityContext", "value": {"capabilities": {"drop": ["ALL"]}}},
        {"op": "add", "path": "/spec/containers/0/resources", "value": {"limits": {"memory": "1Gi"}}},
        {"op": "add", "path": "/spec/containers/1/env/-", "value": {"name": "B"}},
        {"op": "add", "path": "/spec/volumes", "value": [{"name": "tmp", "emptyDir": {}}]},
    ]
    splices = edition(found, operations).splices

    assert only_adds(found.text, found.root, found.value, splices, change_of(operations, found.value))


def test_lines_that_mean_something_else_are_not_certain():
    found = document(POD)
    operations = [{"op": "add", "path": "/spec/new", "value": "1"}]
    (splice,) = edition(found, operations).splices
    wrong = Splice(splice.start, splice.end, splice.text.replace("'1'", "1"), splice.path)
    change = change_of(operations, found.value)

    assert only_adds(found.text, found.root, found.value, [splice], change)
    assert not only_adds(found.text, found.root, found.value, [wrong], change)
    assert not only_adds(found.text, found.root, found.value, [], change)


@pytest.mark.parametrize(("depth", "certain"), [(10, True), (60, False)])
def test_what_may_be_nested_too_deep_is_not_certain(depth, certain):
    found = document("a:\n  b: c\n")
    value = 1
    for _ in range(depth):
        value = {"x": value}
    operations = [{"op": "add", "path": "/a/new", "value": value}]
    splices = edition(found, operations).splices

    assert only_adds(found.text, found.root, found.value, splices, change_of(operations, found.value)) == certain


def test_a_text_that_is_replaced_is_not_certain():
    found = document("a: 1\nb:\n  c: 2\n")
    operations = [{"op": "replace", "path": "/b/c", "value": 3}]
    splices = edition(found, operations).splices

    assert not only_adds(found.text, found.root, found.value, splices, change_of(operations, found.value))
