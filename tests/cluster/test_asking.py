"""Namespaces that the watches have not shown yet are asked for: once, for a bounded time, and without ever raising."""

import asyncio

import pytest

from hardener.cluster import Cluster
from hardener.model import UNKNOWN
from tests.cluster.api_double import RESOURCES
from tests.cluster.faults import body, cut, held, silent, status
from tests.cluster.parts import credentials_for, fill, limit_range, watching
from tests.server.serving import until


@pytest.fixture
async def blind(api, start):
    """A cluster whose watches show nothing: none of its lists is answered."""
    for resource in RESOURCES:
        api.on_list[resource].append(held(asyncio.Event()))
    return await start(wait=False)


async def test_what_the_watches_do_not_show_is_asked_for(api, blind):
    await fill(api)
    await api.namespace("other")
    await api.put("limitranges", "other", "limits", spec=limit_range(max={"cpu": "1"}))
    facts = await blind.ask("shop")
    assert facts.known
    assert facts.labels == {"team": "a"}
    assert len(facts.limit_ranges) == len(facts.quotas) == 1
    assert facts.token_accounts == {"robot"}
    assert blind.facts("shop") is facts
    assert api.ones("shop") == ["limitranges", "resourcequotas", "serviceaccounts", "shop"]


async def test_a_namespace_is_asked_for_once_however_many_wait(api, blind):
    await fill(api)
    release = asyncio.Event()
    api.on_one["namespaces"].append(held(release))
    waiting = [asyncio.create_task(blind.ask("shop")) for _ in range(50)]
    await until(lambda: "shop" in api.ones("shop"))
    release.set()
    facts = await asyncio.gather(*waiting)
    assert all(each is facts[0] for each in facts)
    assert facts[0].known
    await blind.ask("shop")
    assert len(api.ones("shop")) == 4
    assert (blind.status().asked, blind.status().missing, blind.status().unanswered) == (1, 0, 0)


async def test_a_namespace_that_is_known_is_not_asked_for(api, start):
    await fill(api)
    cluster = await start()
    assert await cluster.ask("shop") is cluster.facts("shop")
    assert api.ones("shop") == []


async def test_all_pages_of_an_answer_count(api, start):
    await fill(api)
    await api.put("limitranges", "shop", "more", spec=limit_range(max={"cpu": "1"}))
    for resource in RESOURCES:
        api.on_list[resource].append(held(asyncio.Event()))
    cluster = await start(wait=False, page_items=1)
    assert len((await cluster.ask("shop")).limit_ranges) == 2


async def test_a_namespace_that_is_not_there_is_not_asked_for_again_at_once(api, blind, time):
    for _ in range(3):
        assert await blind.ask("shop") is UNKNOWN
    assert api.ones("shop").count("shop") == 1
    assert (blind.status().asked, blind.status().missing, blind.status().unanswered) == (1, 1, 0)
    await fill(api)
    time.now += 4.9
    assert await blind.ask("shop") is UNKNOWN
    time.now += 0.2
    assert (await blind.ask("shop")).known


async def test_a_namespace_that_was_not_there_counts_as_soon_as_it_is_shown(api, start):
    cluster = await start()
    await until(lambda: watching(api))
    assert await cluster.ask("shop") is UNKNOWN
    await fill(api)
    await until(lambda: cluster.facts("shop") is not UNKNOWN)
    assert (await cluster.ask("shop")).known


async def test_the_memory_of_what_is_not_there_is_bounded(api, start):
    cluster = await start(remembered=3)
    for _ in range(2):
        for number in range(4):
            assert await cluster.ask(f"team-{number}") is UNKNOWN
    # The first was forgotten when the fourth came, then the second when the first came again.
    assert cluster.status().asked == 8
    assert await cluster.ask("team-3") is UNKNOWN
    assert cluster.status().asked == 8


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "a?b", "Shop", "-a", "a-", "a" * 64, "shop\n", "%2e%2e", "shop/../../secrets"]
)
async def test_what_cannot_be_a_namespace_is_never_asked_for(api, blind, name):
    before = len(api.asked)
    assert await blind.ask(name) is UNKNOWN
    assert len(api.asked) == before


async def test_what_does_not_come_in_time_is_left_out(api, start, lines):
    await fill(api)
    for resource in RESOURCES:
        api.on_list[resource].append(held(asyncio.Event()))
    cluster = await start(wait=False, ask_seconds=0.7)
    api.on_one["limitranges"].append(silent(b'{"metadata":'))
    facts = await cluster.ask("shop")
    assert not facts.known
    assert facts.labels == {"team": "a"}
    assert facts.token_accounts == {"robot"}
    assert (cluster.status().asked, cluster.status().unanswered) == (1, 1)
    assert ("a namespace could not be asked for", "no answer in 0.7 s") in [
        (message, fields.get("reason")) for _, message, fields in lines.written
    ]


async def test_nobody_waits_for_an_api_server_that_has_just_not_answered(api, start, time):
    await fill(api)
    for resource in RESOURCES:
        api.on_list[resource].append(held(asyncio.Event()))
    cluster = await start(wait=False, ask_seconds=0.7)
    api.on_one["namespaces"].extend([silent()] * 2)
    assert await cluster.ask("shop") is UNKNOWN
    assert await cluster.ask("shop") is UNKNOWN
    assert cluster.status().asked == 1
    api.on_one["namespaces"].clear()
    time.now += 5
    assert (await cluster.ask("shop")).known
    assert cluster.status().asked == 2


@pytest.mark.parametrize(
    "fault",
    [
        status(401),
        status(403, "forbidden"),
        status(429),
        status(500),
        body(b"<html>"),
        body(b"null"),
        body(b'{"metadata": {"name": "shop", "resourceVersion": "1", "labels": 7}}'),
        cut(b"{"),
    ],
    ids=["401", "403", "429", "500", "html", "null", "labels", "cut-off"],
)
async def test_no_failure_reaches_the_caller(api, blind, fault):
    await fill(api)
    api.on_one["namespaces"].extend([fault, fault])
    facts = await blind.ask("shop")
    assert not facts.known
    assert facts.labels is None
    assert blind.status().unanswered == 1


async def test_an_api_server_that_is_away_reaches_nobody(api, blind):
    await api.stop()
    facts = await asyncio.gather(*(blind.ask(f"team-{number % 5}") for number in range(50)))
    await api.start()
    assert set(map(id, facts)) == {id(UNKNOWN)}
    assert blind.status().asked == 5


async def test_labels_are_known_although_the_rest_may_not_be_asked_for(api, blind):
    await fill(api)
    api.on_one["limitranges"].append(status(403))
    facts = await blind.ask("shop")
    assert not facts.known
    assert facts.labels == {"team": "a"}


async def test_changes_after_the_answer_are_followed(api, start):
    release = asyncio.Event()
    for resource in RESOURCES:
        api.on_list[resource].append(held(release))
    cluster = await start(wait=False)
    await fill(api)
    assert (await cluster.ask("shop")).known
    release.set()
    assert await cluster.wait_until_synced(10)
    assert cluster.facts("shop").known
    await api.put("limitranges", "shop", "more", spec=limit_range(max={"cpu": "1"}))
    await until(lambda: len(cluster.facts("shop").limit_ranges) == 2)
    await api.delete("namespaces", "shop", "shop")
    await until(lambda: cluster.facts("shop") is UNKNOWN)


async def test_a_namespace_is_asked_for_while_the_other_watches_may_be_behind_its_own(api, start):
    """The namespace has been shown, its LimitRange has not: without asking, a default could be refused."""
    await api.namespace("elsewhere")
    api.on_watch["limitranges"].append(silent())
    cluster = await start()
    await until(lambda: api.watching("namespaces") and api.watches("limitranges"))
    await fill(api)
    await until(lambda: cluster.facts("shop") is not UNKNOWN)
    assert not cluster.facts("shop").known
    assert not cluster.facts("shop").limit_ranges
    facts = await cluster.ask("shop")
    assert facts.known
    assert facts.limit_ranges
    assert len(api.ones("shop")) == 4


async def test_a_namespace_is_asked_for_while_all_watches_are_behind(api, start):
    for resource in RESOURCES:
        api.on_watch[resource].append(silent())
    cluster = await start()
    await fill(api)
    facts = await cluster.ask("shop")
    assert facts.known
    assert facts.limit_ranges
    assert facts.quotas
    assert facts.token_accounts


async def test_a_young_namespace_that_nobody_asked_for_grows_old_by_itself(api, start, time):
    cluster = await start()
    await until(lambda: watching(api))
    await fill(api)
    await until(lambda: cluster.facts("shop").token_accounts)
    time.now += 10
    assert (await cluster.ask("shop")).known
    assert cluster.facts("shop").known
    assert api.ones("shop") == []


async def test_the_namespaces_of_the_first_list_are_not_asked_for(api, start):
    await fill(api)
    api.on_list["namespaces"].extend([status(500)] * 2)
    cluster = await start()
    assert cluster.facts("shop").known


async def test_one_who_stops_waiting_leaves_the_others_their_answer(api, blind):
    await fill(api)
    release = asyncio.Event()
    api.on_one["namespaces"].append(held(release))
    first, second = (asyncio.create_task(blind.ask("shop")) for _ in range(2))
    await until(lambda: "shop" in api.ones("shop"))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    release.set()
    assert (await second).known


async def test_closing_answers_those_who_wait(api, time, lines):
    api.on_one["namespaces"].append(silent())
    cluster = Cluster(credentials_for(api.url), log=lines, pace=time.pace)
    await cluster.start()
    waiting = asyncio.create_task(cluster.ask("shop"))
    await until(lambda: "shop" in api.ones("shop"))
    await cluster.close()
    assert await waiting is UNKNOWN


async def test_only_what_no_watch_can_show_is_asked_for(api, start):
    await fill(api)
    api.on_list["serviceaccounts"].append(held(asyncio.Event()))
    cluster = await start(wait=False)
    await until(lambda: all(watch.synced for watch in cluster.status().watches[:3]))
    assert not cluster.facts("shop").known
    assert (await cluster.ask("shop")).known
    assert api.ones("shop") == ["serviceaccounts"]
