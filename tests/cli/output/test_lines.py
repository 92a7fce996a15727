from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.cli.manifests.draft import Splice
from hardener.cli.output.lines import LineMatcher, anchors, changed_blocks, hunks_of

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


@st.composite
def spliced(draw):
    """A text, and splices into it that do not touch one another."""
    text = draw(st.text("ab\n", max_size=30))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    return text, [Splice(*pair, draw(st.text("xy\n", max_size=4)), (number,)) for number, pair in enumerate(pairs)]


@settings(deadline=None)
@given(spliced())
def test_all_lines_outside_of_the_changed_blocks_are_the_same(case):
    text, splices = case
    new_text, end = "", 0
    for splice in splices:
        new_text, end = new_text + text[end : splice.start] + splice.text, splice.end
    old, new = text.split("\n"), (new_text + text[end:]).split("\n")

    blocks = changed_blocks(text, splices)

    at_old = at_new = 0
    for block in blocks:
        assert old[at_old : block.old.start] == new[at_new : block.new.start]
        at_old, at_new = block.old.stop, block.new.stop
    assert old[at_old:] == new[at_new:]
    assert {path for block in blocks for path in block.paths} == {splice.path for splice in splices}


def test_whole_lines_that_are_put_in_between_change_none():
    (block,) = changed_blocks("a\nb\n", [Splice(2, 2, "x\ny\n", ("p",))])

    assert (block.old, block.new) == (range(1, 1), range(1, 3))


def test_lines_behind_a_last_line_without_an_end_change_none():
    (block,) = changed_blocks("a\nb", [Splice(3, 3, "\nx", ("p",))])

    assert (block.old, block.new) == (range(2, 2), range(2, 3))


def test_a_hunk_ends_where_a_block_begins_that_is_not_shown():
    text = "".join(f"{number}\n" for number in range(30))
    places = (0, 10, 14, 16, 24)
    blocks = changed_blocks(text, [Splice(text.index(f"{at}\n"), text.index(f"{at}\n"), "x\n", (at,)) for at in places])

    hunks = hunks_of(blocks, [1, 2, 4], 30)

    assert [(hunk[0].old.start, hunk[-1].old.stop) for hunk in hunks] == [(7, 16), (21, 27)]
    assert [sum(not block.stays for block in hunk) for hunk in hunks] == [2, 1]
