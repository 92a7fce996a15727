"""The log: one line for each thing that is told, on standard error, written some times a second.

The standard library's logging costs more than a whole decision does (design.md 7), and a system call for each line as
much as a control, so that lines are made with orjson and kept for a moment. What a crash of the interpreter may lose are
the lines of the last `FLUSH_SECONDS`; a signal or an exception loses none. Writing waits for a reader who does not keep
up, as every log on standard error does.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from traceback import extract_tb
from types import MappingProxyType
from typing import BinaryIO, Literal, NamedTuple

import orjson

Level = Literal["debug", "info", "warning", "error"]

MESSAGE_LENGTH = 500
"""Characters of a foreign text, such as an exception's, that a line may hold."""

TRACE_LENGTH = 8
"""Innermost frames of an exception that a line may hold."""

FLUSH_SECONDS = 0.02
"""How long a line may wait for others to be written with it."""

FLUSH_LINES = 500
"""Lines that are written without waiting any longer."""

_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
_HEAD = frozenset({"time", "level", "message"})
_BARE = re.compile(r'[^\s"=]+')


class Entry(NamedTuple):
    """What one line tells. `fields` hold what orjson can write; anything else stands as its text."""

    time: datetime
    level: Level
    message: str
    fields: Mapping[str, object]


Format = Callable[[Entry], bytes]
"""Makes a whole line of an entry, whatever is in it."""


def json_line(entry: Entry) -> bytes:
    """For programs: a JSON object, whose time is in UTC."""
    told = {"time": entry.time, "level": entry.level, "message": entry.message, **entry.fields}
    try:
        return orjson.dumps(told, default=str, option=_OPTIONS)
    except orjson.JSONEncodeError:
        # A path, for one, may hold what is not Unicode.
        in_ascii = {key: ascii(value) for key, value in told.items()}
        return orjson.dumps(in_ascii | {"time": entry.time, "level": entry.level}, option=_OPTIONS)


def console_line(entry: Entry) -> bytes:
    """For people at a terminal: local time, level, message, then `key=value` with whatever JSON would hold as well.

    A text with a space, a quote or an equals sign in it stands as JSON, and so does every value that is no text.
    """
    told = orjson.loads(json_line(entry))
    moment = entry.time.astimezone().isoformat(" ", "milliseconds")
    message = told["message"] if told["message"].isprintable() else _quoted(told["message"])
    pairs = [f"{key}={_console_value(value)}" for key, value in told.items() if key not in _HEAD]
    return (" ".join([moment, f"{entry.level:<7}", message, *pairs]) + "\n").encode()


FORMATS: Mapping[str, Format] = MappingProxyType({"json": json_line, "console": console_line})


class Log:
    """Lines for one stream. Safe to use from other threads, whose lines are written at once.

    Lines of the level debug are written where `debugs` is true; who would have to make their fields first may ask.
    """

    def __init__(self, stream: BinaryIO, make_line: Format = json_line, *, debugs: bool = False) -> None:
        self.debugs = debugs
        self._stream = stream
        self._make_line = make_line
        self._lines: list[bytes] = []

    def debug(self, message: str, **fields: object) -> None:
        self.write("debug", message, fields)

    def info(self, message: str, **fields: object) -> None:
        self.write("info", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        self.write("warning", message, fields)

    def failure(self, message: str, error: BaseException | None = None, **fields: object) -> None:
        """Write an error line; of an exception, it tells type, text and place, and no values of variables."""
        if error is not None:
            fields |= {"error": _text(error), "trace": _trace(error)}
        self.write("error", message, fields)

    def write(self, level: Level, message: str, fields: dict[str, object]) -> None:
        """Put one line down, unless it is a debug line that nobody wants."""
        if level == "debug" and not self.debugs:
            return
        line = self._make_line(Entry(datetime.now(UTC), level, message, fields))
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._put(line)
            return
        if not self._lines:
            loop.call_later(FLUSH_SECONDS, self.flush)
        self._lines.append(line)
        if len(self._lines) >= FLUSH_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what is kept, in one go."""
        lines, self._lines = self._lines, []
        if lines:
            self._put(b"".join(lines))

    def _put(self, data: bytes) -> None:
        try:
            self._stream.write(data)
            self._stream.flush()
        except (OSError, ValueError):
            # Whoever read the log has gone; pods must be answered all the same.
            return


class ForeignLines(logging.Handler):
    """Brings what libraries log into the same log, a bounded number of lines in each window of time.

    Anyone who can reach the port can provoke such lines, as with handshakes that are not TLS.
    """

    LINES = 20
    WINDOW_SECONDS = 10.0

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._until = 0.0
        self._written = 0
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now >= self._until:
            if self._dropped:
                self._log.warning("lines of libraries were left out", count=self._dropped)
            self._until, self._written, self._dropped = now + self.WINDOW_SECONDS, 0, 0
        if self._written >= self.LINES:
            self._dropped += 1
            return
        self._written += 1
        error = record.exc_info[1] if record.exc_info else None
        fields: dict[str, object] = {"logger": record.name}
        if error is not None:
            fields |= {"error": _text(error), "trace": _trace(error)}
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        self._log.write(level, record.getMessage()[:MESSAGE_LENGTH], fields)


def _console_value(value: object) -> str:
    if isinstance(value, str) and value.isprintable() and _BARE.fullmatch(value):
        return value
    text = orjson.dumps(value).decode()
    return text if text.isprintable() else _quoted(value)


def _quoted(value: object) -> str:
    """JSON without anything that a terminal would obey: orjson keeps what is not ASCII, and both keep DEL."""
    return json.dumps(value, separators=(",", ":")).replace("\x7f", r"\u007f")


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:MESSAGE_LENGTH]


def _trace(error: BaseException) -> list[str]:
    """The innermost frames, outermost first."""
    frames = extract_tb(error.__traceback__)[-TRACE_LENGTH:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
