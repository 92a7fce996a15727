import asyncio

import pytest
import uvloop

from hardener.server.deadline import Deadline


class Clock:
    """A loop as far as a deadline knows one, whose time a test sets."""

    def __init__(self):
        self.now = 0.0
        self.timers = []

    def time(self):
        return self.now

    def call_at(self, moment, call):
        timer = Timer(moment, call)
        self.timers.append(timer)
        return timer

    def pass_until(self, moment):
        """Let the time pass, and wake what is due."""
        while due := [timer for timer in self.timers if timer.moment <= moment and not timer.is_cancelled]:
            first = min(due, key=lambda timer: timer.moment)
            self.timers.remove(first)
            self.now = first.moment
            first.call()
        self.now = moment


class Timer:
    def __init__(self, moment, call):
        self.moment = moment
        self.call = call
        self.is_cancelled = False

    def cancel(self):
        self.is_cancelled = True


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def missed():
    return []


def test_what_is_late_is_told_once(clock, missed):
    deadline = Deadline(clock)
    deadline.set(10, lambda: missed.append(clock.now))
    clock.pass_until(9.9)
    assert missed == []
    clock.pass_until(100)
    assert missed == [10]


def test_one_that_is_put_off_again_and_again_needs_one_timer_at_a_time(clock, missed):
    deadline = Deadline(clock)
    for moment in range(1000):
        clock.pass_until(moment)
        deadline.set(120, lambda: missed.append(clock.now))
        assert len(clock.timers) == 1
    clock.pass_until(10_000)
    assert missed == [999 + 120]


def test_a_nearer_one_takes_the_place_of_a_farther_one(clock, missed):
    deadline = Deadline(clock)
    deadline.set(120, lambda: missed.append("far"))
    deadline.set(10, lambda: missed.append("near"))
    clock.pass_until(1000)
    assert missed == ["near"]


def test_a_farther_one_takes_the_place_of_a_nearer_one(clock, missed):
    deadline = Deadline(clock)
    deadline.set(10, lambda: missed.append("near"))
    deadline.set(120, lambda: missed.append("far"))
    clock.pass_until(119)
    assert missed == []
    clock.pass_until(120)
    assert missed == ["far"]


def test_nothing_is_late_between_clear_and_the_next_set(clock, missed):
    deadline = Deadline(clock)
    deadline.set(10, lambda: missed.append("cleared"))
    deadline.clear()
    clock.pass_until(50)
    deadline.set(10, lambda: missed.append("set"))
    clock.pass_until(60)
    assert missed == ["set"]


def test_nothing_is_late_after_the_end(clock, missed):
    deadline = Deadline(clock)
    deadline.set(10, lambda: missed.append("late"))
    deadline.end()
    clock.pass_until(50)
    assert missed == []


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_it_is_kept_on_a_real_loop(make_loop):
    async def wait():
        late = asyncio.Event()
        deadline = Deadline(asyncio.get_running_loop())
        deadline.set(60, late.set)
        deadline.set(0.01, late.set)
        async with asyncio.timeout(10):
            await late.wait()

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(wait())
