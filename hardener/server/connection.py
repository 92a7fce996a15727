"""One connection of HTTP/1.1, within its bounds: who is slow or silent does not stay.

What stands here is what an application adds to a parser: the order of answers, time limits, and an end that the client
comes to read. docs/decisions/0019 says why no web framework does it.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, cast

from hardener.errors import SlowBodyError
from hardener.server.deadline import Deadline
from hardener.server.decision import Decision
from hardener.server.reading import Reading
from hardener.server.reply import CONTINUE, Reply
from hardener.server.request import Request, Stage

if TYPE_CHECKING:
    from hardener.server.entrance import Entrance


class Connection(asyncio.Protocol):
    """Answers requests in their order: `decide`, `answer` and `account` are called in turn with other connections.

    A request that is refused before its end is answered at once; what still comes of it is read and dropped for a while,
    since a client that is sending does not read.
    """

    __slots__ = (
        "_deadline",
        "_decision",
        "_due",
        "_entrance",
        "_is_in_turn",
        "_reading",
        "_task",
        "_transport",
        "_unread",
    )

    _transport: asyncio.Transport

    def __init__(self, entrance: "Entrance") -> None:
        self._entrance = entrance
        self._deadline = Deadline(entrance.loop)
        self._reading = Reading(entrance.port, entrance.state)
        self._due: deque[Request] = deque()
        """What is to be answered, in its order."""
        self._decision: Decision | None = None
        self._is_in_turn = False
        self._task: asyncio.Task[None] | None = None
        self._unread: asyncio.TimerHandle | None = None

    @property
    def is_silent(self) -> bool:
        """Whether the head of a first request is still to come."""
        return self._reading.is_silent

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # The API server keeps spare connections, and sends a review on one of them many seconds after the handshake. Were it
        # closed at that moment, the review would fail, since a POST is not sent again (semantics.md 6.5).
        if self._entrance.admit(self):
            self._deadline.set(self._entrance.state.limits.keep_alive_seconds, self._end_of_patience)

    def data_received(self, data: bytes) -> None:
        # Who does not wait for answers is not read on until they are given.
        if self._due:
            self._transport.pause_reading()
        for request in self._reading.feed(data):
            if request.is_answered:
                self.close()
            elif not request.is_due:
                self._make_due(request)
        request = self._reading.request
        if request.stage is not Stage.FIRST_BYTE or request.reply is not None:
            self._wait_for_rest(request)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio names it
        self._entrance.leave(self)
        self._deadline.end()
        if self._unread is not None:
            self._unread.cancel()
        if self._task is not None:
            self._task.cancel()
        self._drop_due()
        self._reading.end()

    def pause_writing(self) -> None:
        self._unread = self._entrance.loop.call_later(self._entrance.state.limits.write_seconds, self._end_unread)

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        self._go_on()

    # What the turn calls.

    def decide(self) -> int:
        """Decide on the answer to the request that is due, unless it was refused; returns the bytes of its body."""
        if not self._due or self._transport.is_closing():
            return 0
        request = self._due[0]
        if request.reply is not None:
            return 0
        try:
            answer = self._entrance.port.answer(request, self._entrance.state)
        except Exception as error:  # a bug in one answer must not reach the other connections
            request.fail(error)
        else:
            if isinstance(answer, Decision):
                self._take(request, answer)
            elif isinstance(answer, Reply):
                request.reply = answer
            else:
                self._task = self._entrance.loop.create_task(self._answer_later(request, answer))
        return request.size

    def answer(self) -> None:
        """Send what was decided; what has still to be asked for comes later."""
        if not self._due or (reply := self._due[0].reply) is None:
            return
        request = self._due.popleft()
        persists = request.persists and request.stage is Stage.NOTHING and not self._entrance.state.draining
        self._transport.write(reply.encode(persists=persists, bare=request.method == "HEAD"))
        request.release()
        self._is_in_turn = False
        if persists:
            self._go_on()
        else:
            self._finish(request)

    def account(self) -> None:
        """Count and log what was decided."""
        decision, self._decision = self._decision, None
        if decision is not None:
            decision.book(self._entrance.state)

    # What the entrance calls.

    def close(self) -> None:
        """End it once what was written has been sent."""
        self._reading.is_over = True
        self._transport.close()

    def abort(self) -> None:
        """End it now."""
        self._transport.abort()

    def _make_due(self, request: Request) -> None:
        """Put a request, which is whole or refused, behind those that came before it."""
        self._deadline.clear()
        request.is_due = True
        self._due.append(request)
        self._go_on()

    def _go_on(self) -> None:
        """See to the next request that is due, or wait for one; while answers pile up unread, nothing is done."""
        if self._is_in_turn or self._unread is not None or self._transport.is_closing():
            return
        if self._due:
            self._is_in_turn = True
            self._entrance.turn.add(self)
            return
        self._transport.resume_reading()
        if self._reading.request.stage is Stage.FIRST_BYTE:
            self._deadline.set(self._entrance.state.limits.keep_alive_seconds, self._end_of_patience)

    def _wait_for_rest(self, request: Request) -> None:
        """Bound the time for what is still to come of a request, or answer it already."""
        stage, limits = request.stage, self._entrance.state.limits
        if request.is_answered:
            if self._reading.is_over:
                self.close()
        elif request.reply is not None:
            if not request.is_due:
                self._make_due(request)
        elif request.timed is not stage:
            request.timed = stage
            if stage is Stage.HEAD:
                self._deadline.set(limits.headers_seconds, self._end_of_patience)
                return
            self._deadline.set(limits.body_seconds, self._end_of_body)
            if request.asks_to_go_on and not self._due:
                self._transport.write(CONTINUE)

    def _take(self, request: Request, decision: Decision) -> None:
        self._decision = decision
        request.reply = Reply(decision.content)

    async def _answer_later(self, request: Request, answer: Coroutine[Any, Any, Decision]) -> None:
        try:
            self._take(request, await answer)
        except Exception as error:  # as in `decide`
            request.fail(error)
        self._task = None
        self.answer()
        self.account()

    def _finish(self, request: Request) -> None:
        """Close after an answer; where its request has not ended, let the client come to read the answer."""
        self._drop_due()
        if request.stage is Stage.NOTHING or self._reading.is_over:
            self.close()
            return
        request.is_answered = True
        self._transport.resume_reading()
        self._deadline.set(self._entrance.state.limits.linger_seconds, self.close)

    def _drop_due(self) -> None:
        while self._due:
            self._due.popleft().release()

    def _end_of_patience(self) -> None:
        """No head of a request came in time."""
        if self.is_silent:
            self._entrance.state.metrics.connection_refused("silent")
        self.close()

    def _end_of_body(self) -> None:
        request, seconds = self._reading.request, self._entrance.state.limits.body_seconds
        request.fail(SlowBodyError(f"the body did not arrive within {seconds:g} seconds"))
        self._make_due(request)

    def _end_unread(self) -> None:
        self._entrance.state.metrics.connection_refused("unread")
        self.abort()
