"""Lists and watches that fail: the rows stay, and everything is tried again, with pauses."""

import asyncio

import pytest

from hardener.model import UNKNOWN, LimitRange
from tests.cluster.faults import body, cut, held, line, silent, status
from tests.cluster.parts import fill, limit_range, watching
from tests.server.serving import until

UNAUTHORIZED = status(401, "Unauthorized")
ALL_FAULTS = [
    UNAUTHORIZED,
    status(403, "limitranges is forbidden"),
    status(429, "too many requests"),
    status(500, "internal error"),
    body(b"<html>a proxy's page</html>", "text/html"),
    body(b'{"metadata": {}}'),
    body(b'{"metadata": {"resourceVersion": "later"}, "items": null}'),
    body(b'{"metadata": {"resourceVersion": "7"}, "items": [{"kind": "nameless"}]}'),
    body(b'\xff\xfe{"metadata"'),
    body(b"[" * 100_000),
    cut(b'{"metadata": {"resourceVersion": "7"}, "items": [{"meta'),
]
NAMES = [
    "401",
    "403",
    "429",
    "500",
    "html",
    "versionless",
    "no-number",
    "nameless",
    "not-unicode",
    "too-deep",
    "cut-off",
]


async def test_a_list_whose_rest_is_gone_begins_anew(api, start):
    for number in range(4):
        await api.namespace(f"team-{number}")
    release = asyncio.Event()
    release.set()
    api.on_list["namespaces"].extend([held(release), status(410, "the provided continue parameter is too old")])
    cluster = await start(page_items=2)
    assert all(cluster.facts(f"team-{number}").known for number in range(4))
    assert ["continue" in asked.query for asked in api.lists("namespaces")] == [False, True, False, True]


@pytest.mark.parametrize("fault", ALL_FAULTS, ids=NAMES)
async def test_a_list_that_fails_is_tried_again(api, start, lines, fault):
    await fill(api)
    # After a 401 it is tried once more at once, with credentials that are read anew.
    api.on_list["limitranges"].extend([fault] * (3 if fault is UNAUTHORIZED else 2))
    cluster = await start()
    assert cluster.facts("shop").limit_ranges
    watch = cluster.status().watches[1]
    assert (watch.resource, watch.failures) == ("limitranges", 2)
    # The same reason again is not worth a second line.
    assert [fields["resource"] for level, _, fields in lines.written if level == "warning"] == ["limitranges"]


@pytest.mark.parametrize("fault", ALL_FAULTS[:5] + ALL_FAULTS[8:], ids=NAMES[:5] + NAMES[8:])
async def test_a_watch_that_fails_is_tried_again_from_the_same_position(api, start, lines, fault):
    await fill(api)
    listed = api.version
    api.on_watch["limitranges"].extend([fault, fault])
    cluster = await start()
    await until(lambda: api.watching("limitranges"))
    await api.put("limitranges", "shop", "more", spec=limit_range(max={"cpu": "2"}))
    await until(lambda: len(cluster.facts("shop").limit_ranges) == 2)
    assert [asked.query["resourceVersion"] for asked in api.watches("limitranges")] == [str(listed)] * 3
    assert len(api.lists("limitranges")) == 1
    await until(lambda: "a watch works again" in lines.messages("info"))
    assert cluster.status().watches[1].reason == ""


@pytest.mark.parametrize(
    "said",
    [
        b"not json\n",
        b"{}\n",
        b"null\n",
        b"\n",
        line("ADDED", {"metadata": {"name": "versionless"}}),
        line("ADDED", {"metadata": {"name": "x", "namespace": "shop", "resourceVersion": "-1"}}),
        line("ERROR", {"code": 500, "message": "etcdserver: request timed out"}),
        line("ERROR", "a word"),
        b"[" * 100_000 + b"\n",
    ],
)
async def test_a_line_that_cannot_be_read_ends_the_watch_and_not_the_facts(api, start, said):
    await fill(api)
    api.on_watch["limitranges"].append(body(said))
    cluster = await start()
    before = cluster.facts("shop")
    await until(lambda: api.watching("limitranges"))
    assert cluster.facts("shop") == before
    assert cluster.status().watches[1].failures == 1
    await api.put("limitranges", "shop", "more", spec=limit_range(max={"cpu": "2"}))
    await until(lambda: len(cluster.facts("shop").limit_ranges) == 2)


async def test_what_comes_before_a_bad_line_counts_and_a_cut_off_line_does_not(api, start):
    await api.namespace("shop")
    metadata = {"name": "limits", "namespace": "shop", "resourceVersion": str(api.version + 1)}
    item = {"metadata": metadata, "spec": limit_range(max={"cpu": "1"})}
    api.on_watch["limitranges"].append(cut(line("ADDED", item) + line("DELETED", item)[:-1]))
    cluster = await start()
    await until(lambda: len(api.watches("limitranges")) == 2)
    assert cluster.facts("shop").limit_ranges == (LimitRange("Container", max={"cpu": 1}),)
    assert api.watches("limitranges")[1].query["resourceVersion"] == str(api.version + 1)


async def test_an_event_without_end_is_given_up(api, start):
    await fill(api)
    api.on_watch["limitranges"].append(silent(b"x" * 2000))
    cluster = await start(line_bytes=1000)
    await until(lambda: cluster.status().watches[1].failures == 1)
    await until(lambda: api.watching("limitranges"))


async def test_watches_that_fail_again_and_again_have_everything_listed_anew(api, start):
    await fill(api)
    api.on_watch["limitranges"].extend([status(504, "Too large resource version")] * 3)
    await start()
    await until(lambda: api.watching("limitranges"))
    assert len(api.lists("limitranges")) == 2
    assert len(api.watches("limitranges")) == 4


async def test_pauses_double_up_to_the_longest_and_begin_anew_once_a_watch_works(api, start, time):
    await fill(api)
    api.on_list["limitranges"].extend([status(500)] * 9)
    cluster = await start()
    assert time.slept == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
    await until(lambda: watching(api))
    time.now += 1
    await api.bookmark()
    await until(lambda: cluster.status().watches[1].age == 0)
    time.slept.clear()
    api.on_watch["limitranges"].append(status(500))
    api.drop("limitranges")
    await until(lambda: len(api.watches("limitranges")) == 3)
    assert time.slept == [0.2, 0.4]


@pytest.mark.parametrize(("asked", "slept"), [("7", 7.0), ("3600", 30.0), ("soon", 0.2), ("-1", 0.2)])
async def test_the_pause_that_the_api_server_asks_for_is_kept_within_bounds(api, start, time, asked, slept):
    headers = {"Retry-After": asked}
    api.on_list["limitranges"].append(status(429, **headers))
    await start()
    assert time.slept == [slept]


async def test_a_watch_that_ends_at_once_is_not_renewed_without_a_pause(api, start, time):
    await fill(api)
    api.on_watch["limitranges"].extend([body(b"")] * 2)
    cluster = await start()
    await until(lambda: api.watching("limitranges"))
    assert time.slept == [0.2, 0.4]
    assert cluster.status().watches[1].failures == 2


async def test_a_watch_that_the_api_server_ends_in_time_is_renewed_without_a_pause(api, start, time):
    await fill(api)
    api.on_watch["limitranges"].append(body(line("BOOKMARK", {"metadata": {"resourceVersion": str(api.version)}})))
    cluster = await start()
    await until(lambda: api.watching("limitranges"))
    assert time.slept == []
    assert cluster.status().watches[1].failures == 0
    assert {asked.query["timeoutSeconds"] for asked in api.watches("limitranges")} == {"240"}


async def test_a_silent_watch_has_everything_listed_anew(api, start):
    """As after the store was brought back to an older state: a watch from the future is accepted and says nothing."""
    await fill(api)
    api.on_watch["limitranges"].append(silent())
    cluster = await start(silence_seconds=0.1)
    api.version = 50
    await api.put("limitranges", "shop", "more", spec=limit_range(max={"cpu": "2"}))
    await until(lambda: len(cluster.facts("shop").limit_ranges) == 2)
    assert len(api.lists("limitranges")) > 1


async def test_a_watch_that_never_ends_is_renewed(api, start):
    await fill(api)
    cluster = await start(watch_seconds=0, late_seconds=0.2)
    await until(lambda: len(api.watches("limitranges")) > 2)
    assert cluster.facts("shop").limit_ranges


async def test_a_slow_page_is_given_up_and_asked_for_again(api, start):
    await fill(api)
    api.on_list["limitranges"].append(silent(b'{"metadata":'))
    cluster = await start(page_seconds=0.2)
    assert cluster.facts("shop").limit_ranges
    assert "TimeoutError" in cluster.status().watches[1].reason


async def test_an_api_server_that_is_away_at_first_is_no_error(api, start):
    await fill(api)
    await api.stop()
    cluster = await start(wait=False)
    assert not await cluster.wait_until_synced(0.05)
    assert cluster.facts("shop") is UNKNOWN
    assert not cluster.status().synced
    await api.start()
    assert await cluster.wait_until_synced(10)
    assert cluster.facts("shop").known


async def test_rows_stay_while_the_api_server_is_away_and_follow_when_it_is_back(api, start, lines):
    await fill(api)
    cluster = await start()
    await until(lambda: watching(api))
    before = cluster.facts("shop")
    await api.stop()
    await until(lambda: all(watch.reason for watch in cluster.status().watches))
    assert cluster.facts("shop") == before
    assert cluster.status().synced
    await api.put("limitranges", "shop", "more", spec=limit_range(max={"cpu": "2"}))
    await api.start()
    await until(lambda: len(cluster.facts("shop").limit_ranges) == 2)


async def test_what_may_not_be_listed_leaves_the_facts_unknown_but_not_the_labels(api, start):
    await fill(api)
    api.on_list["limitranges"].extend([status(403, "limitranges is forbidden: no right to list")] * 1000)
    cluster = await start(wait=False)
    await until(lambda: cluster.status().watches[3].synced and cluster.status().watches[1].failures)
    facts = cluster.facts("shop")
    assert not facts.known
    assert facts.labels == {"team": "a"}
    assert facts.token_accounts == {"robot"}
    assert "403 limitranges is forbidden: no right to list" in cluster.status().watches[1].reason


async def test_a_bug_does_not_end_a_watch(api, start, lines, monkeypatch):
    await fill(api)
    cluster = await start()
    await until(lambda: watching(api))

    def broken(*_):
        raise KeyError("bug")

    with monkeypatch.context() as patched:
        patched.setattr("hardener.cluster.tables.Tables.put", broken)
        await api.put("limitranges", "shop", "more", spec=limit_range(max={"cpu": "2"}))
        await until(lambda: lines.messages("error"))
    await until(lambda: len(cluster.facts("shop").limit_ranges) == 2)
    assert lines.messages("error") == ["a watch failed inside"]
