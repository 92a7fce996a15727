"""Bytes -> requests, with llhttp's parser, which is that of Node.js too."""

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from hardener.errors import HeadTooLargeError, ReviewError
from hardener.server.application import Port
from hardener.server.reply import line
from hardener.server.request import Request, Stage
from hardener.server.state import State


class Reading:
    """What the client of one connection sends.

    `request` is the one that is being read, or will be. One that cannot be taken has its refusal as soon as that is
    known, and is read on, so that the next one can be found.
    """

    __slots__ = ("_parser", "_port", "_state", "_whole", "is_over", "is_silent", "request")

    def __init__(self, port: Port, state: State) -> None:
        self._port = port
        self._state = state
        self._parser = HttpRequestParser(self)
        self._whole: list[Request] = []
        self.request = Request(state)
        self.is_over = False
        """Whether whatever comes is dropped."""
        self.is_silent = True
        """Whether the head of a first request is still to come."""

    def feed(self, data: bytes) -> list[Request]:
        """Read on, and return the requests that end in these bytes."""
        if self.is_over:
            return []
        whole: list[Request] = []
        self._whole = whole
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self.is_over = True
            for request in whole[-1:]:
                self._stay_with_http(request)
        except HttpParserError as error:
            self._end_with(error)
        else:
            # Where other requests end in the same bytes, it is not known how many are of this one.
            self._bound_head(0 if whole else len(data))
        return whole

    def end(self) -> None:
        """Let go of the parser, which refers to this in turn: both would wait for the garbage collector."""
        self.is_over = True
        self.request.release()
        del self._parser

    # What the parser calls.

    def on_message_begin(self) -> None:
        self.request.stage = Stage.HEAD

    def on_url(self, part: bytes) -> None:
        self.request.take_target(part)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.request.take_header(name, value)

    def on_headers_complete(self) -> None:
        self.is_silent = False
        request, parser = self.request, self._parser
        request.take_head(
            parser.get_method().decode(), parser.get_http_version(), keep_alive=parser.should_keep_alive()
        )
        try:
            elsewhere = self._port.open(request)
        except ReviewError as error:
            request.fail(error)
        else:
            if elsewhere is not None:
                request.refuse(elsewhere)

    def on_body(self, part: bytes) -> None:
        try:
            self.request.take(part)
        except ReviewError as error:
            self.request.fail(error)

    def on_message_complete(self) -> None:
        request, self.request = self.request, Request(self._state)
        request.stage = Stage.NOTHING
        self._whole.append(request)

    def _bound_head(self, count: int) -> None:
        """Refuse a head that does not end; a single read may be larger than its bound."""
        request, most = self.request, self._state.limits.head_bytes
        if request.stage is Stage.HEAD:
            request.head_bytes += count
            if request.head_bytes > most:
                self.is_over = True
                request.fail(HeadTooLargeError(f"the head of the request is over {most} bytes"))

    def _stay_with_http(self, request: Request) -> None:
        """Answer who asks for another protocol, which is not spoken; what follows the head cannot be told apart."""
        request.persists = False
        if request.method == "POST" and request.reply is None:
            request.refuse(line(400, "the body cannot be read after the header Upgrade; leave it out"))

    def _end_with(self, error: HttpParserError) -> None:
        """Refuse what is no HTTP; what comes after it cannot be told apart."""
        self.is_over = True
        request = self.request
        request.persists = False
        if request.reply is not None:
            return
        if isinstance(error, HttpParserCallbackError):
            request.fail(error.__context__ or error)
        elif request.stage is Stage.BODY:
            request.refuse(line(400, f"the body is not transferred as its headers say: {error}"))
        else:
            request.refuse(line(400, f"this is not HTTP: {error}"))
