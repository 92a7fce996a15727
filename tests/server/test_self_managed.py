"""One round after another, of replicas that share a store, and the task that goes round."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from hardener.server.self_managed import Rhythm
from hardener.tls import ServingCertificate, self_signed
from hardener.tls.clocks import Now
from hardener.tls.trust import named
from tests.cluster.store import CONFIGURATIONS, MUTATING, SECRET, VALIDATING, Store
from tests.server.replicas import Replica, is_in_order

MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECRETS = SECRET.rpartition("/")[0]
WRITES = {"POST", "PATCH"}


@pytest.fixture
def store():
    made = Store(MOMENT)
    made.install("pods", "others")
    return made


@pytest.fixture
def replica(store):
    return Replica(store)


def authorities(store):
    return named(store.data()["ca.crt"], Now.at(store.now))


def writes(replica):
    return [path for method, path in replica.connection.asked if method in WRITES]


def messages(replica):
    return [message for _, message, _ in replica.lines.written]


async def test_the_first_round_makes_publishes_and_serves_in_this_order(store, replica):
    assert await replica.round()

    assert writes(replica) == [SECRET, MUTATING, VALIDATING]
    assert messages(replica) == [
        "the Secret of the certificates was written",
        "the caBundle was written",
        "the caBundle was written",
        "the serving certificate was taken over",
    ]
    assert replica.certificate.pem == store.data()["tls.crt"]
    assert is_in_order(store, replica)
    assert len(store.live_bundles()) == 4


async def test_nothing_is_served_before_its_authority_was_published(store, replica, monkeypatch):
    used = []
    monkeypatch.setattr(ServingCertificate, "use", lambda *_: used.append(store.live_bundles()))
    monkeypatch.setattr(ServingCertificate, "expires", MOMENT)
    await replica.round()

    assert used == [store.live_bundles()]
    assert all(used[0])


async def test_another_round_writes_nothing(store, replica):
    await replica.round()
    before, version = writes(replica), store.version
    assert await replica.round()

    assert (writes(replica), store.version) == (before, version)


async def test_a_secret_that_is_not_there_is_made(store, replica):
    store.delete(SECRET)
    assert await replica.round()

    assert writes(replica)[0] == SECRETS
    assert is_in_order(store, replica)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("is_there", [True, False])
async def test_replicas_that_start_at_once_come_to_the_same(store, seed, is_there):
    if not is_there:
        store.delete(SECRET)
    replicas = [Replica(store, dice=random.Random(f"{seed} {number}")) for number in range(3)]
    for _ in range(4):
        done = await asyncio.gather(*(each.round() for each in replicas))

    assert done == [True, True, True]
    assert {each.certificate.pem for each in replicas} == {store.data()["tls.crt"]}
    assert sum(each.managed.status().renewals for each in replicas) == 1
    assert len(authorities(store)) == 1
    assert is_in_order(store, *replicas)


async def test_a_replica_that_comes_later_takes_over_what_is_there(store, replica):
    await replica.round()
    late = Replica(store)
    assert await late.round()

    assert writes(late) == []
    assert late.certificate.pem == replica.certificate.pem


@pytest.mark.parametrize("path", CONFIGURATIONS)
@pytest.mark.parametrize("value", [b"", b"junk", self_signed(["localhost"], MOMENT, days=2).certificate])
async def test_a_bundle_that_somebody_changed_is_put_back(store, replica, path, value):
    await replica.round()
    before = writes(replica)
    store.set_bundle(path, value)
    assert await replica.round()

    assert writes(replica) == [*before, path]
    assert is_in_order(store, replica)
    assert replica.managed.status().repairs == 3


async def test_only_the_webhooks_that_lack_something_are_written(store, replica):
    await replica.round()
    first, second = store.objects[MUTATING]["webhooks"]
    store.put(MUTATING, webhooks=[first, {**second, "clientConfig": {"url": "https://a"}}])
    await replica.round()

    assert replica.lines.written[-1][2] == {"configuration": "mutating/zz-hardener", "webhooks": ["others"]}
    assert is_in_order(store, replica)


async def test_an_authority_of_ours_from_before_stays_in_the_bundles(store):
    """The Secret was lost with all who knew of it; whoever cannot be reached may still serve what was there."""
    await Replica(store).round()
    former = store.data()["ca.crt"]
    store.set_data({})
    await Replica(store).round()

    assert {former, store.data()["ca.crt"]} == set.intersection(
        *(set(named(bundle, Now.at(store.now))) for bundle in store.live_bundles())
    )


@pytest.mark.parametrize("missing", [[MUTATING], [VALIDATING], [MUTATING, VALIDATING]])
async def test_a_configuration_that_is_not_there_is_no_trouble(store, replica, missing):
    for path in missing:
        store.delete(path)
    assert await replica.round()

    assert replica.managed.status().reasons == ()
    assert replica.certificate.pem == store.data()["tls.crt"]


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_a_configuration_that_may_not_be_kept_is_told_once_and_the_other_is_kept(store, replica, method):
    replica.connection.refused.add((method, MUTATING))
    assert [await replica.round() for _ in range(3)] == [False] * 3

    assert replica.lines.messages("error") == ["keeping the mutating webhook configuration fails and is tried again"]
    assert replica.managed.status().reasons == (f"{MUTATING}: 403 forbidden",)
    assert replica.certificate.pem == store.data()["tls.crt"]
    assert store.live_bundles()[2:] == [store.data()["ca.crt"]] * 2

    replica.connection.refused.clear()
    assert await replica.round()
    assert messages(replica)[-1] == "keeping the mutating webhook configuration works again"
    assert replica.managed.status().reasons == ()
    assert is_in_order(store, replica)


async def test_a_secret_that_may_not_be_read_is_told_and_what_is_known_goes_on(store, replica):
    await replica.round()
    replica.connection.refused.add(("GET", SECRET))
    store.set_bundle(MUTATING, b"")
    assert [await replica.round() for _ in range(2)] == [False] * 2

    assert is_in_order(store, replica)
    assert replica.lines.messages("error") == ["keeping the Secret of the certificates fails and is tried again"]


async def test_what_cannot_be_stored_is_neither_published_nor_served(store, replica):
    """Each replica would have an authority of its own."""
    replica.connection.refused.add(("PATCH", SECRET))
    assert not await replica.round()

    assert set(store.live_bundles()) == {b""}
    assert replica.certificate.pem == b""
    assert replica.managed.status().is_serving is False
    assert replica.managed.status().reasons == (f"{SECRET}: 403 forbidden",)


async def test_a_secret_that_may_not_be_written_is_served_as_long_as_it_is_good(store, replica):
    await Replica(store).round()
    store.now += 70 * DAY
    replica.connection.refused.add(("PATCH", SECRET))
    assert not await replica.round()

    assert replica.certificate.pem == store.data()["tls.crt"]
    assert is_in_order(store, replica)


async def test_a_lost_secret_that_may_not_be_made_again_does_not_end_what_is_served(store, replica):
    await replica.round()
    before = store.live_bundles()
    replica.connection.refused.add(("POST", SECRETS))
    store.delete(SECRET)
    store.set_bundle(MUTATING, b"")
    assert not await replica.round()

    assert store.live_bundles() == before
    assert replica.managed.status().is_serving


async def test_an_api_server_that_is_away_changes_nothing(store, replica):
    await replica.round()
    replica.connection.is_cut = True
    before, store.now = replica.certificate.pem, store.now + 100 * DAY
    assert [await replica.round() for _ in range(2)] == [False] * 2
    assert replica.certificate.pem == before

    replica.connection.is_cut = False
    assert await replica.round()
    assert is_in_order(store, replica)


async def due(store, replica):
    """Round by round to the day on which another authority has been made."""
    await replica.round()
    while len(authorities(store)) == 1:
        store.now += DAY
        assert await replica.round()
    return store.data()["tls.crt"]


async def test_a_new_authority_signs_after_an_hour_in_all_bundles(store, replica):
    before = await due(store, replica)
    assert is_in_order(store, replica)
    store.now += timedelta(minutes=1)
    await replica.round()
    store.now += HOUR - timedelta(seconds=1)
    await replica.round()
    assert store.data()["tls.crt"] == before
    store.now += timedelta(seconds=1)
    await replica.round()

    assert replica.certificate.pem == store.data()["tls.crt"] != before
    assert is_in_order(store, replica)
    assert len(authorities(store)) == 2


@pytest.mark.parametrize("path", CONFIGURATIONS)
async def test_the_hour_begins_anew_where_the_authority_was_taken_out_of_a_bundle(store, replica, path):
    before = await due(store, replica)
    await replica.round()
    store.now += HOUR / 2
    store.set_bundle(path, b"")
    await replica.round()
    await replica.round()
    store.now += HOUR * 3 / 4
    await replica.round()
    assert store.data()["tls.crt"] == before
    store.now += HOUR / 4
    await replica.round()

    assert store.data()["tls.crt"] != before


async def test_an_authority_that_may_be_published_nowhere_signs_nothing(store, replica):
    before = await due(store, replica)
    replica.connection.refused.add(("GET", VALIDATING))
    for _ in range(3):
        await replica.round()
        store.now += HOUR

    assert store.data()["tls.crt"] == before


async def test_a_replica_goes_over_to_another_authority_when_it_has_seen_it_for_an_hour_itself(store, replica):
    await replica.round()
    before = replica.certificate.pem
    await Replica(store).round()
    store.set_data({})
    # A stranger comes first, and its own is the only one that it knows.
    stranger = Replica(store)
    await stranger.round()
    for minutes in (0, 1, 58):
        store.now += timedelta(minutes=minutes)
        assert await replica.round()
        assert replica.certificate.pem == before
        assert is_in_order(store, replica, stranger)
    store.now += timedelta(minutes=2)
    await replica.round()

    assert replica.certificate.pem == stranger.certificate.pem == store.data()["tls.crt"]


async def test_an_authority_that_leaked_can_be_taken_out_for_good(store, replica):
    """The Secret is deleted, and when another authority has signed, the first is taken out of all three places."""
    await replica.round()
    (leaked,) = authorities(store)
    store.delete(SECRET)
    await replica.round()
    for _ in range(2):
        store.now += HOUR
        await replica.round()
    assert leaked in authorities(store)
    store.set_data({**store.data(), "ca.crt": store.data()["ca.crt"].replace(leaked, b"")})
    for path in CONFIGURATIONS:
        store.set_bundle(path, b"")
    for _ in range(2):
        assert await replica.round()

    assert leaked not in authorities(store)
    assert not any(leaked in bundle for bundle in store.live_bundles())
    assert is_in_order(store, replica)


async def test_renewed_certificates_of_the_same_authority_are_taken_over_at_once(store, replica):
    late = Replica(store)
    await replica.round()
    await late.round()
    store.now += 61 * DAY
    await replica.round()
    await late.round()

    assert late.certificate.pem == replica.certificate.pem == store.data()["tls.crt"]
    assert late.managed.status().renewals == 0


async def test_the_metrics_tell_when_the_certificate_ends(store, replica):
    await replica.round()

    def sample(name, **labels):
        return replica.metrics.registry.get_sample_value(name, labels)

    assert sample("hardener_certificate_expiry_timestamp_seconds") == (MOMENT + 90 * DAY).timestamp()
    assert sample("hardener_certificate_reloads_total", result="good") == 1


async def test_a_certificate_that_cannot_be_taken_over_is_told_and_tried_again(store, replica, monkeypatch):
    def refuse(name):
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr("os.memfd_create", refuse, raising=False)
        patched.setattr("tempfile.tempdir", "/nowhere")
        assert [await replica.round() for _ in range(2)] == [False] * 2
    assert replica.lines.messages("error") == ["taking the serving certificate over fails and is tried again"]
    assert "let /tmp be writable" in replica.managed.status().reasons[0]

    assert await replica.round()
    assert replica.certificate.pem == store.data()["tls.crt"]
    assert replica.managed.status().reasons == ()


async def test_clocks_that_differ_are_told_once(store, replica):
    await replica.round()
    before = store.data()
    replica.ahead = 400 * DAY
    assert [await replica.round() for _ in range(2)] == [True] * 2
    (line,) = [line for line in replica.lines.written if line[0] == "warning"]

    assert line[2] == {"ours": MOMENT + 400 * DAY, "theirs": MOMENT}
    assert store.data() == before


async def test_no_key_is_ever_logged(store, replica):
    store.set_data({"tls.crt": b"junk", "tls.key": b"-----BEGIN PRIVATE KEY-----"})
    replica.connection.refused.add(("PATCH", MUTATING))
    for _ in range(2):
        await due(store, replica) if not replica.connection.refused else await replica.round()
        replica.connection.refused.clear()
    store.set_data({})
    await replica.round()

    assert len(replica.lines.written) > 8
    assert "PRIVATE" not in repr(replica.lines.written)


def test_an_hour_and_a_minute_are_what_is_in_force():
    assert Rhythm() == Rhythm(look_seconds=60.0, shortest_seconds=0.5, settle_seconds=3600.0)
