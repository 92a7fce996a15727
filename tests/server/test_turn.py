import pytest

from hardener.server.turn import MOST_BYTES, Turn


class Loop:
    """A loop as far as a turn knows one: a test says when it goes round."""

    def __init__(self):
        self.calls = []

    def call_soon(self, call):
        self.calls.append(call)

    def go_round(self):
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class Due:
    def __init__(self, name, story, size=1, then=None):
        self.name = name
        self.story = story
        self.size = size
        self.then = then

    def decide(self):
        self.story.append(f"decide {self.name}")
        return self.size

    def answer(self):
        self.story.append(f"answer {self.name}")
        if self.then is not None:
            self.then()

    def account(self):
        self.story.append(f"account {self.name}")


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def story():
    return []


def test_all_is_decided_then_sent_then_accounted_for_in_the_order_in_which_it_came(loop, story):
    turn = Turn(loop)
    for name in "abc":
        turn.add(Due(name, story))
    assert (len(loop.calls), story) == (1, [])
    loop.go_round()

    assert story == [f"{what} {name}" for what in ("decide", "answer", "account") for name in "abc"]
    assert loop.calls == []


def test_a_large_body_does_not_keep_those_before_it_waiting_and_those_after_it_come_in_the_next_turn(loop, story):
    turn = Turn(loop)
    for name, size in (("a", 1), ("b", MOST_BYTES), ("c", 1)):
        turn.add(Due(name, story, size))
    loop.go_round()
    assert story == [f"{what} {name}" for what in ("decide", "answer", "account") for name in "ab"]
    loop.go_round()

    assert story[6:] == ["decide c", "answer c", "account c"]
    assert loop.calls == []


def test_whoever_is_due_again_waits_for_the_others(loop, story):
    turn = Turn(loop)
    again = Due("again", story)
    turn.add(Due("first", story, MOST_BYTES, then=lambda: turn.add(again)))
    turn.add(Due("other", story))
    loop.go_round()
    assert len(loop.calls) == 1
    loop.go_round()

    assert story == [
        *("decide first", "answer first", "account first"),
        *("decide other", "decide again", "answer other", "answer again", "account other", "account again"),
    ]
    assert loop.calls == []


def test_whoever_is_due_again_while_nobody_waits_comes_in_the_next_turn(loop, story):
    turn = Turn(loop)
    turn.add(Due("first", story, then=lambda: turn.add(Due("again", story))))
    loop.go_round()
    loop.go_round()

    assert story == [f"{what} {name}" for name in ("first", "again") for what in ("decide", "answer", "account")]
    assert loop.calls == []
