from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.cli.output.lines import LineMatcher, anchors

TEXTS = st.lists(st.sampled_from("abcdefgh"), max_size=15)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_the_opcodes_lead_from_one_text_to_the_other(old, new):
    result, position = [], (0, 0)
    for tag, old_from, old_to, new_from, new_to in LineMatcher(old, new).get_opcodes():
        assert (old_from, new_from) == position
        position = (old_to, new_to)
        if tag == "equal":
            assert old[old_from:old_to] == new[new_from:new_to]
        result += old[old_from:old_to] if tag == "equal" else new[new_from:new_to]

    assert position == (len(old), len(new))
    assert result == new


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_equal_stretches_are_never_empty_and_never_touch(old, new):
    opcodes = LineMatcher(old, new).get_opcodes()

    assert all(old_from < old_to or new_from < new_to for _, old_from, old_to, new_from, new_to in opcodes)
    tags = [opcode[0] for opcode in opcodes]
    assert ("equal", "equal") not in pairwise(tags)


def test_anchors_stand_once_on_either_side_and_in_the_same_order():
    assert anchors("axbxcd", "cayybxd") == [(0, 1), (2, 4), (5, 6)]


def test_a_text_that_stays_the_same_is_one_stretch():
    assert LineMatcher(["a", "a", "b"], ["a", "a", "b"]).get_opcodes() == [("equal", 0, 3, 0, 3)]
    assert list(LineMatcher(["a"], ["a"]).get_grouped_opcodes(3)) == []


def test_containers_that_resemble_one_another_are_told_apart():
    old = [line for number in range(1000) for line in (f"- name: c{number}", "  image: x", "  resources: {}")]
    new = [line for number in range(1000) for line in (f"- name: c{number}", "  image: x", "  limits: {}", "  a: b")]

    opcodes = LineMatcher(old, new).get_opcodes()

    assert [opcode[0] for opcode in opcodes] == ["equal", "replace"] * 1000
