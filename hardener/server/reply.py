"""Reply -> the bytes of an HTTP response."""

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

import msgspec

from hardener.errors import OverloadError, ReviewError

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""What stands before an answer where the client waits for it."""

_STATUS_LINES = {int(status): f"HTTP/1.1 {int(status)} {status.phrase}" for status in HTTPStatus}


class Reply(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One answer; `headers` are those beside its date, its content's type and length, and the connection's end."""

    content: bytes
    status: int = 200
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()

    def encode(self, *, persists: bool, bare: bool = False) -> bytes:
        """Write it out; `bare` leaves out the content, as a HEAD wants it, and `persists` lets another request follow."""
        more = "".join([f"{name}: {value}\r\n" for name, value in self.headers]) if self.headers else ""
        if not persists:
            more += "Connection: close\r\n"
        head = (
            f"{_STATUS_LINES[self.status]}\r\n"
            f"Content-Type: {self.content_type}\r\n"
            f"Content-Length: {len(self.content)}\r\n"
            f"{_date(int(time.time()))}{more}\r\n"
        )
        return head.encode() if bare else head.encode() + self.content


def line(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    """One line for people."""
    return Reply(f"{' '.join(text.split())}\n".encode(), status, TEXT, headers)


def refusal(error: ReviewError) -> Reply:
    """Answer a request that holds no usable review."""
    headers = (("Retry-After", "1"),) if isinstance(error, OverloadError) else ()
    return line(error.status, str(error), *headers)


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """The header with the time of an answer."""
    return f"Date: {formatdate(second, usegmt=True)}\r\n"
