"""Lists and watches against a double of the API server: what it shows becomes facts, and nothing is missed."""

import asyncio
import random

import pytest

from hardener.cluster import Cluster
from hardener.model import UNKNOWN, LimitRange, Quota, parse_quantity
from tests.cluster.api_double import RESOURCES
from tests.cluster.faults import body, expired, held, line, pieces, silent, status
from tests.cluster.parts import credentials_for, fill, limit_range, watching
from tests.server.serving import until


async def test_what_was_there_before_becomes_facts(api, start):
    await fill(api)
    facts = (await start()).facts("shop")
    assert facts.known
    assert facts.labels == {"team": "a"}
    assert facts.limit_ranges == (LimitRange("Container", max={"memory": parse_quantity("1Gi")}),)
    assert facts.quotas == (Quota(hard=frozenset({"pods"})),)
    assert facts.token_accounts == {"robot"}


async def test_a_namespace_without_anything_is_known_and_any_other_is_not(api, start):
    await api.namespace("empty")
    cluster = await start()
    assert cluster.facts("empty").known
    assert cluster.facts("empty").labels == {}
    assert cluster.facts("other") is UNKNOWN


async def test_lists_come_in_pages_of_which_every_row_counts(api, start):
    for number in range(7):
        await api.namespace(f"team-{number}")
        await api.put("limitranges", f"team-{number}", "limits", spec=limit_range(max={"cpu": "1"}))
    cluster = await start(page_items=3)
    assert all(cluster.facts(f"team-{number}").limit_ranges for number in range(7))
    for resource in ("namespaces", "limitranges"):
        assert [asked.query["limit"] for asked in api.lists(resource)] == ["3", "3", "3"]
        assert ["continue" in asked.query for asked in api.lists(resource)] == [False, True, True]


async def test_the_namespaces_are_listed_before_the_rest(api, start):
    await fill(api)
    await start()
    first = [asked.path for asked in api.asked if not asked.is_watch]
    assert first[0] == "/api/v1/namespaces"
    assert sorted(first[1:]) == sorted(f"/api/v1/{resource}" for resource in RESOURCES[1:])


async def test_every_change_of_a_row_changes_the_facts(api, start):
    await api.namespace("shop")
    cluster = await start()
    await fill(api)
    await until(lambda: cluster.facts("shop").token_accounts == {"robot"})
    await until(lambda: cluster.facts("shop").labels == {"team": "a"})
    await until(lambda: cluster.facts("shop").limit_ranges and cluster.facts("shop").quotas)
    await api.namespace("shop", team="b")
    await api.put("limitranges", "shop", "limits", spec=limit_range(min={"cpu": "1"}))
    await api.put("resourcequotas", "shop", "quota", spec={"scopes": ["BestEffort"]})
    await api.put("serviceaccounts", "shop", "robot", automountServiceAccountToken=False)
    await until(lambda: cluster.facts("shop").labels == {"team": "b"})
    await until(lambda: cluster.facts("shop").limit_ranges == (LimitRange("Container", min={"cpu": 1}),))
    await until(lambda: cluster.facts("shop").quotas == (Quota(frozenset({"BestEffort"})),))
    await until(lambda: cluster.facts("shop").token_accounts == frozenset())
    await api.delete("limitranges", "shop", "limits")
    await api.delete("resourcequotas", "shop", "quota")
    await until(lambda: cluster.facts("shop").limit_ranges == cluster.facts("shop").quotas == ())
    await api.delete("namespaces", "shop", "shop")
    await until(lambda: cluster.facts("shop") is UNKNOWN)
    assert all(len(api.lists(resource)) == 1 for resource in RESOURCES)


async def test_facts_are_one_object_until_a_row_of_their_namespace_changes(api, start):
    await api.namespace("shop")
    await api.namespace("other")
    cluster = await start()
    before = cluster.facts("shop")
    await api.put("serviceaccounts", "other", "robot", automountServiceAccountToken=True)
    await until(lambda: cluster.facts("other").token_accounts)
    assert cluster.facts("shop") is before
    await api.put("serviceaccounts", "shop", "robot", automountServiceAccountToken=True)
    await until(lambda: cluster.facts("shop").token_accounts)
    assert before.token_accounts == frozenset()


async def test_facts_cannot_be_changed(api, start):
    await api.namespace("shop", team="a")
    facts = (await start()).facts("shop")
    with pytest.raises(TypeError):
        facts.labels["team"] = "b"


async def test_the_rows_of_a_namespace_stand_in_the_order_of_their_names(api, start):
    await api.namespace("shop")
    for name in ("b", "c", "a"):
        await api.put("limitranges", "shop", name, spec=limit_range(max={"cpu": str(ord(name))}))
    facts = (await start()).facts("shop")
    assert [limit.max["cpu"] for limit in facts.limit_ranges] == [ord("a"), ord("b"), ord("c")]


async def test_a_broken_watch_goes_on_where_it_was(api, start):
    await api.namespace("shop")
    cluster = await start()
    await api.put("limitranges", "shop", "limits", spec=limit_range(max={"cpu": "1"}))
    await until(lambda: cluster.facts("shop").limit_ranges)
    seen = api.version
    api.drop("limitranges")
    await api.put("limitranges", "shop", "more", spec=limit_range(max={"cpu": "2"}))
    await until(lambda: len(cluster.facts("shop").limit_ranges) == 2)
    assert [asked.query["resourceVersion"] for asked in api.watches("limitranges")][1:] == [str(seen)]
    assert len(api.lists("limitranges")) == 1


async def test_a_bookmark_is_where_a_broken_watch_goes_on(api, start, time):
    await api.namespace("shop")
    cluster = await start()
    await until(lambda: watching(api))
    for number in range(5):
        await api.put("serviceaccounts", "shop", f"robot-{number}")
    told = api.version
    time.now += 1
    await api.bookmark()
    await until(lambda: cluster.status().watches[1].age == 0)
    await api.namespace("later")
    api.drop("limitranges")
    await until(lambda: len(api.watches("limitranges")) > 1)
    assert api.watches("limitranges")[-1].query["resourceVersion"] == str(told)
    assert {asked.query["allowWatchBookmarks"] for asked in api.watches("limitranges")} == {"true"}


@pytest.mark.parametrize("told", [status(410, "too old"), body(expired())], ids=["as-status", "as-event"])
async def test_a_position_that_is_too_old_has_everything_listed_anew(api, start, lines, told):
    await fill(api)
    cluster = await start()
    await until(lambda: watching(api))
    api.on_watch["limitranges"].append(told)
    await api.delete("limitranges", "shop", "limits")
    await until(lambda: not cluster.facts("shop").limit_ranges)
    before = cluster.facts("shop")
    api.objects["limitranges"][("shop", "quiet")] = {
        "metadata": {"name": "quiet", "namespace": "shop", "resourceVersion": "1"},
        "spec": limit_range(max={"cpu": "3"}),
    }
    api.drop("limitranges")
    await until(lambda: cluster.facts("shop") != before)
    assert cluster.facts("shop").limit_ranges[0].max == {"cpu": 3}
    assert len(api.lists("limitranges")) == 2


async def test_one_position_that_is_too_old_is_no_failure(api, start, lines):
    await api.namespace("shop")
    cluster = await start()
    await until(lambda: watching(api))
    api.version += 10
    api.compact()
    api.drop("namespaces")
    await until(lambda: len(api.lists("namespaces")) == 2)
    await api.namespace("later")
    await until(lambda: cluster.facts("later") is not UNKNOWN)
    reasons = [fields.get("reason", "") for _, _, fields in lines.written]
    assert not [reason for reason in reasons if "410" in reason]


async def test_old_rows_stay_until_the_new_list_is_whole(api, start):
    for number in range(4):
        await api.namespace(f"team-{number}")
    cluster = await start(page_items=2)
    await until(lambda: watching(api))
    release, first = asyncio.Event(), asyncio.Event()
    first.set()
    api.on_list["namespaces"].extend([held(first), held(release)])
    del api.objects["namespaces"]["team-0", "team-0"]
    api.version += 10
    api.compact()
    api.drop("namespaces")
    await until(lambda: len(api.lists("namespaces")) == 4)
    assert all(cluster.facts(f"team-{number}").known for number in range(4))
    release.set()
    await until(lambda: cluster.facts("team-0") is UNKNOWN)
    assert all(cluster.facts(f"team-{number}").known for number in range(1, 4))


async def test_events_may_come_in_any_pieces(api, start):
    await api.namespace("shop")
    events = b"".join(
        line(
            "ADDED",
            {
                "metadata": {"name": f"é-{number}", "namespace": "shop", "resourceVersion": str(api.version + number)},
                "spec": limit_range(max={"cpu": "1"}),
            },
        )
        for number in range(1, 4)
    )
    api.on_watch["limitranges"].append(pieces(*(events[index : index + 7] for index in range(0, len(events), 7))))
    cluster = await start()
    await until(lambda: len(cluster.facts("shop").limit_ranges) == 3)


async def test_events_of_unknown_kind_are_passed_over(api, start):
    await fill(api)
    api.on_watch["limitranges"].append(silent(line("RENAMED", {"metadata": {}})))
    cluster = await start()
    await until(lambda: len(api.watches("limitranges")) == 1)
    assert cluster.facts("shop").limit_ranges
    assert cluster.status().watches[1].failures == 0


async def test_the_status_says_how_the_watches_stand(api, start, time):
    await fill(api)
    cluster = await start()
    await until(lambda: watching(api))
    assert cluster.status().synced
    assert [watch.resource for watch in cluster.status().watches] == list(RESOURCES)
    time.now += 42
    assert {watch.age for watch in cluster.status().watches} == {42.0}
    await api.bookmark()
    await until(lambda: {watch.age for watch in cluster.status().watches} == {0.0})
    assert {(watch.lists, watch.failures, watch.reason) for watch in cluster.status().watches} == {(1, 0, "")}


async def test_objects_that_cannot_be_read_are_told_and_stand_for_the_strictest(api, start, lines):
    await api.namespace("shop")
    await api.put("limitranges", "shop", "odd", spec=limit_range(max={"memory": "much"}))
    facts = (await start()).facts("shop")
    assert facts.known
    assert all(facts.limit_ranges[0].refuses(name, parse_quantity("1m"), None) for name in ("cpu", "memory"))
    told = [fields for _, message, fields in lines.written if message.startswith("an object cannot be read")]
    assert [(fields["resource"], fields["namespace"], fields["name"]) for fields in told] == [
        ("limitranges", "shop", "odd")
    ]
    assert "'much' is not a quantity" in told[0]["reason"]


async def test_closing_ends_every_watch(api, time, lines):
    await fill(api)
    async with Cluster(credentials_for(api.url), log=lines, pace=time.pace) as cluster:
        await until(lambda: watching(api))
    await until(lambda: not any(api.watching(resource) for resource in RESOURCES))
    assert cluster.facts("shop").known


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_the_facts_come_to_be_those_of_a_fresh_start(api, start, seed):
    dice = random.Random(seed)
    names = [f"team-{number}" for number in range(6)]
    cluster = await start(page_items=4)
    for _ in range(150):
        await dice.choice([change, change, change, delete, trouble])(api, dice, dice.choice(names))
        if dice.random() < 0.1:
            await cluster.ask(dice.choice(names))
    fresh = await start()
    await until(lambda: same_everywhere(cluster, fresh, names))


async def change(api, dice, name):
    match dice.randrange(3):
        case 0:
            await api.namespace(name, stage=dice.choice("ab"))
        case 1:
            await api.put("limitranges", name, dice.choice("xy"), spec=limit_range(max={"cpu": str(dice.randrange(4))}))
        case 2:
            await api.put("serviceaccounts", name, "robot", automountServiceAccountToken=dice.random() < 0.5)


async def delete(api, dice, name):
    resource = dice.choice(RESOURCES)
    keys = list(api.objects[resource])
    if keys:
        await api.delete(resource, *dice.choice(keys))


async def trouble(api, dice, name):
    resource = dice.choice(RESOURCES)
    match dice.randrange(4):
        case 0:
            await api.bookmark()
        case 1:
            api.drop(resource)
        case 2:
            api.compact()
            api.drop(resource)
        case 3:
            dice.choice([api.on_list, api.on_watch, api.on_one])[resource].append(status(500))


def same_everywhere(cluster, fresh, names):
    """Whether both know the same; a namespace that has only just appeared may not count as known yet."""
    seen, expected = (
        [(facts.labels, facts.limit_ranges, facts.quotas, facts.token_accounts) for facts in map(which.facts, names)]
        for which in (cluster, fresh)
    )
    return seen == expected
