"""One request: what has arrived of it, its share of the bytes in flight, and what it is answered."""

from collections.abc import Mapping
from enum import Enum, auto

from hardener.errors import MediaTypeError, ReviewError, TooLargeError
from hardener.server.reply import JSON, Reply, line, refusal
from hardener.server.state import State

Headers = Mapping[bytes, bytes]
"""Values by name in lower case; of one that stands twice, the last."""

_JSON = JSON.encode()


class Stage(Enum):
    """What of a request comes next."""

    FIRST_BYTE = auto()
    HEAD = auto()
    BODY = auto()
    NOTHING = auto()


class Request:
    """One request, from its first byte to its answer.

    It is due once it can be answered: with its end, or as soon as it is refused. Then `reply` says how, unless the
    answer is still to be decided.
    """

    __slots__ = (
        "_held",
        "_is_counted",
        "_keeps_body",
        "_parts",
        "_state",
        "_target",
        "head_bytes",
        "headers",
        "is_answered",
        "is_due",
        "method",
        "path",
        "persists",
        "reply",
        "stage",
        "timed",
        "version",
    )

    def __init__(self, state: State) -> None:
        self._state = state
        self._held = 0
        self._is_counted = self._keeps_body = False
        self._parts: list[bytes] = []
        self._target = b""
        self.stage = self.timed = Stage.FIRST_BYTE
        """How far it has arrived, and the stage for which the time runs."""
        self.head_bytes = 0
        """What was read of its head, as long as that was not complete."""
        self.headers: dict[bytes, bytes] = {}
        self.method = self.path = self.version = ""
        self.persists = False
        """Whether the client can send another one on the same connection."""
        self.reply: Reply | None = None
        self.is_due = self.is_answered = False

    @property
    def size(self) -> int:
        """Bytes of its body, as they count as in flight."""
        return self._held

    @property
    def asks_to_go_on(self) -> bool:
        """Whether the client waits for a word before it sends the body, as curl does with a long one."""
        return self.headers.get(b"expect", b"").lower() == b"100-continue" and self.version == "1.1" and not self._parts

    def take_target(self, part: bytes) -> None:
        self._target += part

    def take_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what follows a chunked body is dropped."""
        if self.stage is Stage.HEAD:
            self.headers[name.lower()] = value

    def take_head(self, method: str, version: str, *, keep_alive: bool) -> None:
        """End the head: from here on the request counts as one in flight. HTTP/1.0 gets no second request."""
        self.stage = Stage.BODY
        self.method, self.version = method, version
        self.persists = keep_alive and version == "1.1"
        target = self._target.partition(b"?")[0].decode("latin-1")
        self.path = target if target.startswith("/") else "/" + target.partition("://")[2].partition("/")[2]
        self._state.in_flight.enter()
        self._is_counted = True

    def expect_review(self) -> None:
        """Make room for a body of JSON; raises MediaTypeError, TooLargeError or OverloadError where it cannot be taken."""
        headers = self.headers
        declared = headers.get(b"content-type", b"")
        if declared != _JSON and (media_type := declared.partition(b";")[0].strip().lower()) != _JSON:
            told = media_type.decode("ascii", "backslashreplace") or "missing"
            raise MediaTypeError(f"the Content-Type is {told}; send {JSON}")
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise MediaTypeError("the body is compressed; send it as it is")
        length = headers.get(b"content-length")
        if length is not None:
            self._hold(int(length))
        self._keeps_body = True

    def take(self, part: bytes) -> None:
        """Keep a part of the body, if anybody wants it; raises TooLargeError or OverloadError."""
        if not self._keeps_body:
            return
        # Without a declared length, what arrives is counted as it does.
        if b"content-length" not in self.headers:
            self._hold(len(part))
        self._parts.append(part)

    def body(self) -> bytes:
        """The whole body, which is kept here no longer."""
        parts, self._parts = self._parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def refuse(self, reply: Reply) -> None:
        """Answer it with this error, count that, and keep nothing of its body."""
        self._state.metrics.http_error(reply.status)
        self.reply = reply
        self._keeps_body = False
        self._parts.clear()

    def fail(self, error: BaseException) -> None:
        """Refuse it as a ReviewError says; any other error is a bug of ours, which the log tells of."""
        if isinstance(error, ReviewError):
            self.refuse(refusal(error))
            return
        self._state.log.failure("a request failed", error, path=self.path)
        self.refuse(line(500, "internal error; the log says more"))

    def release(self) -> None:
        """Give its share of the bytes in flight back; a second time does nothing."""
        if self._is_counted:
            self._state.in_flight.leave(self._held)
            self._is_counted, self._held = False, 0

    def _hold(self, count: int) -> None:
        most = self._state.limits.body_bytes
        if self._held + count > most:
            raise TooLargeError(f"the body is over {most} bytes")
        self._state.in_flight.take(count)
        self._held += count
