"""However bytes arrive, the same requests come out of them, and whatever they are, nothing is raised or left behind."""

import io
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hardener.policy.reading import embedded_config
from hardener.server.application import WEBHOOK
from hardener.server.counting import Metrics
from hardener.server.limits import Limits
from hardener.server.log import Log
from hardener.server.reading import Reading
from hardener.server.request import Stage
from hardener.server.state import State

LIMITS = Limits(body_bytes=64, in_flight_bytes=128, head_bytes=1024)


def state():
    return State(embedded_config(), Log(io.BytesIO()), LIMITS, Metrics())


def lines(*texts):
    return "".join(f"{text}\r\n" for text in (*texts, "")).encode()


HEADS = st.builds(
    lambda method, path, version, headers: (f"{method} {path} HTTP/{version}", "Host: a", *headers),
    st.sampled_from(["POST", "GET", "HEAD", "PUT"]),
    st.sampled_from(["/mutate", "/explain", "/elsewhere", "/mutate?timeout=10s", "https://a.svc/mutate", "*"]),
    st.sampled_from(["1.1", "1.1", "1.1", "1.0"]),
    st.lists(
        st.sampled_from(
            [
                "Content-Type: application/json",
                "content-type: Application/JSON ; charset=utf-8",
                "Content-Type: text/plain",
                "Content-Encoding: gzip",
                "Connection: close",
                "Connection: keep-alive",
                "Expect: 100-continue",
                "X-Long: " + "x" * 100,
            ]
        ),
        max_size=4,
    ),
)
BODIES = st.binary(max_size=100)


def declared(head, body):
    return lines(*head, f"Content-Length: {len(body)}") + body


def chunked(head, body, sizes):
    chunks = []
    for size in sizes:
        chunk, body = body[:size], body[size:]
        if chunk:
            chunks.append(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    rest = b"%x;a=b\r\n%b\r\n" % (len(body), body) if body else b""
    return lines(*head, "Transfer-Encoding: chunked") + b"".join(chunks) + rest + b"0\r\nTrailer: x\r\n\r\n"


REQUESTS = (
    st.builds(declared, HEADS, BODIES)
    | st.builds(chunked, HEADS, BODIES, st.lists(st.integers(1, 40), max_size=4))
    | st.builds(lambda head: lines(*head), HEADS)
)
NONSENSE = st.sampled_from(
    [b"\x16\x03\x01\x00", b"EHLO a\r\n\r\n", b"POST /mutate HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
CUTS = st.lists(st.integers(0, 2000), max_size=8)


def pieces(whole, cuts):
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    return [whole[start:end] for start, end in pairwise(edges)]


def told(request):
    """All that an answer depends on."""
    status = request.reply.status if request.reply is not None else None
    return request.method, request.path, request.persists, status, dict(request.headers), request.body()


def read(parts):
    """The requests that end in these parts, and what is known of the one that does not."""
    shared = state()
    reading = Reading(WEBHOOK, shared)
    whole = [request for part in parts for request in reading.feed(part)]
    rest = reading.request
    unfinished = (rest.stage, rest.reply.status if rest.reply is not None else None)
    found = [told(request) for request in whole], unfinished, reading.is_over
    for request in whole:
        assert request.stage is Stage.NOTHING
        request.release()
    reading.end()
    assert (shared.in_flight.requests, shared.in_flight.bytes) == (0, 0)
    return found


@given(st.lists(REQUESTS, max_size=4), st.none() | NONSENSE, CUTS)
def test_the_same_requests_are_read_however_the_bytes_are_cut(requests, nonsense, cuts):
    whole = b"".join(requests) + (nonsense or b"")

    assert read(pieces(whole, cuts)) == read([whole])


@given(st.lists(REQUESTS, min_size=1, max_size=3), CUTS, st.integers(0, 600), st.binary(max_size=3))
def test_whatever_the_bytes_are_nothing_is_raised_and_nothing_left_behind(requests, cuts, place, noise):
    whole = b"".join(requests)
    read(pieces(whole[:place] + noise + whole[place + len(noise) :], cuts))


@given(st.binary(max_size=200), CUTS)
def test_random_bytes_are_no_request(noise, cuts):
    requests, _, _ = read(pieces(noise, cuts))

    assert requests == []
