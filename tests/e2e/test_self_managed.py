"""Self-managed TLS on a real API server: several replicas, one Secret, two webhook configurations, and no failed pod."""

import asyncio
import base64
import itertools
import time

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.e2e.balancer import Balancer
from tests.e2e.registration import REGISTRATION, explain_configuration, webhook_configuration
from tests.e2e.replicas import BRISK, CALM, HURRIED, KINDS, LABEL, NAMESPACE, SECRETS, Installed
from tests.server.serving import until

_numbers = itertools.count()


@pytest.fixture
async def installed(control_plane):
    """An empty Secret and configurations without any trust; nothing runs yet."""
    if control_plane.request("GET", f"/api/v1/namespaces/{NAMESPACE}").status == 404:
        control_plane.make_namespace(NAMESPACE)
    async with Balancer() as balancer:
        number = next(_numbers)
        labels = {LABEL: str(number)}
        made = Installed(control_plane, balancer, control_plane.make_namespace(labels=labels), number)
        selector = {"matchLabels": labels}
        for path, body in (
            (SECRETS, {"metadata": {"name": made.name, "labels": {"team": "a"}}}),
            (
                f"{REGISTRATION}/mutatingwebhookconfigurations",
                webhook_configuration(made.name, balancer.url, "", namespace_selector=selector),
            ),
            (
                f"{REGISTRATION}/validatingwebhookconfigurations",
                explain_configuration(made.name, balancer.url, "", namespace_selector=selector),
            ),
        ):
            reply = control_plane.request("POST", path, body)
            assert reply.status == 201, reply.body
        try:
            yield made
        finally:
            for kind in KINDS:
                await made.request("DELETE", made.configuration(kind))
            for replica in list(made.replicas):
                await made.stop(replica)


async def test_no_pod_is_refused_while_authorities_and_certificates_come_and_go(installed):
    """With the policy Fail. The API server shakes hands anew for each pod, with three replicas in turn."""
    await installed.start_all(HURRIED)
    authorities, certificates = set(), set()
    async with installed.pods_all_the_time() as made:
        ends = time.monotonic() + 30
        is_replaced = False
        while time.monotonic() < ends:
            data = await installed.secret()
            authorities.add(data["ca.key"])
            certificates.add(data["tls.crt"])
            if len(authorities) == 2 and not is_replaced:
                # While two authorities are trusted, one replica goes and another comes.
                is_replaced = True
                await installed.stop(installed.replicas[0])
                await installed.start(HURRIED)
                await installed.until_all_serve()
                installed.route()
            await asyncio.sleep(0.2)
    assert len(authorities) >= 3
    assert len(certificates) >= 6
    assert installed.balancer.connections >= len(made) > 100
    assert [replica.managed.status().reasons for replica in installed.replicas] == [(), (), ()]


async def test_replicas_that_start_at_once_agree_and_leave_the_rest_of_the_secret_alone(installed):
    reply = await installed.request(
        "PATCH", installed.path, {"data": {"note": "bWluZQ=="}}, content_type="application/merge-patch+json"
    )
    assert reply.ok
    await installed.start_all(CALM)
    data = await installed.secret()
    assert set(data) == {"tls.crt", "tls.key", "ca.crt", "ca.key", "note"}
    assert (await installed.request("GET", installed.path)).body["metadata"]["labels"] == {"team": "a"}
    assert installed.all_serve(data["tls.crt"])
    assert [await installed.bundle(kind) for kind in KINDS] == [data["ca.crt"]] * 2
    assert sum(replica.managed.status().renewals for replica in installed.replicas) == 1
    assert [replica.managed.status().reasons for replica in installed.replicas] == [(), (), ()]


@pytest.mark.parametrize("value", [None, "", "AAAA", "another authority's"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_bundle_that_somebody_blanks_or_replaces_is_repaired_at_once(installed, control_plane, kind, value):
    """Long before anybody would look without a reason."""
    await installed.start_all(CALM, count=2)
    good = await installed.bundle(kind)
    if value == "another authority's":
        value = base64.b64encode(control_plane.authority).decode()
    await installed.set_bundle(kind, value)
    await eventually(installed.bundle, kind, lambda bundle: bundle == good, seconds=CALM.look_seconds / 2)
    await installed.until_it_serves()


async def test_a_configuration_that_is_made_anew_gets_its_bundle(installed):
    await installed.start_all(CALM, count=2)
    good = await installed.bundle("mutating")
    path = installed.configuration("mutating")
    body = (await installed.request("GET", path)).body
    del body["webhooks"][0]["clientConfig"]["caBundle"]
    body["metadata"] = {"name": installed.name}
    await installed.request("DELETE", path)
    reply = await installed.request("POST", path.rpartition("/")[0], body)
    assert reply.status == 201
    await eventually(installed.bundle, "mutating", lambda bundle: bundle == good)
    await installed.until_it_serves()


async def lost(installed):
    return await installed.request("DELETE", installed.path)


def damaged(**data):
    async def damage(installed):
        changes = {key.replace("_", "."): value for key, value in data.items()}
        return await installed.request(
            "PATCH", installed.path, {"data": changes}, content_type="application/merge-patch+json"
        )

    return damage


HARM = {
    "deleted": lost,
    "emptied": damaged(tls_crt=None, tls_key=None, ca_crt=None, ca_key=None),
    "blank": damaged(tls_crt="", tls_key="", ca_crt="", ca_key=""),
    "without the authority's key": damaged(ca_key=None),
    "without authorities": damaged(ca_crt=None),
    "without a certificate": damaged(tls_crt=None),
    "with another key": damaged(tls_key="bm9uZQ=="),
}


@pytest.mark.parametrize("harm", HARM)
async def test_a_secret_that_is_lost_or_damaged_is_repaired_and_no_pod_is_refused(installed, harm):
    await installed.start_all(BRISK)
    before = await installed.secret()
    async with installed.pods_all_the_time():
        assert (await HARM[harm](installed)).ok
        await eventually(installed.secret, lambda after: is_whole(after) and installed.all_serve(after["tls.crt"]))
    assert before["ca.crt"] in (await installed.secret())["ca.crt"]


def is_whole(data):
    """Whether the certificate is signed by the authority whose key is there, and not by a former one."""
    try:
        leaf = x509.load_pem_x509_certificate(data["tls.crt"])
        key = load_pem_private_key(data["ca.key"], None).public_key()
        authorities = x509.load_pem_x509_certificates(data["ca.crt"])
    except (KeyError, ValueError):
        return False
    signer = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    is_signed = signer == x509.AuthorityKeyIdentifier.from_issuer_public_key(key)
    return is_signed and key in [authority.public_key() for authority in authorities]


RIGHTS = {
    ("get", "secrets"),
    ("watch", "secrets"),
    ("patch", "secrets"),
    ("create", "secrets"),
    *((verb, f"{kind}webhookconfigurations") for verb in ("get", "watch", "patch") for kind in KINDS),
}
"""All that it may do, and by name; only what is yet to be made has no name to the API server."""


@pytest.fixture
def allowed(installed, tmp_path):
    """Makes a service account that may do just this with the objects of the installation; returns its kubeconfig."""

    async def grant(rights):
        name, namespaced = installed.name, f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
        await made(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": name}})
        subjects = [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}]
        for path, kind, group in (
            (namespaced, "Role", ""),
            ("/apis/rbac.authorization.k8s.io/v1", "ClusterRole", "admissionregistration.k8s.io"),
        ):
            rules = [
                {
                    "apiGroups": [group],
                    "resources": [plural],
                    "verbs": [verb],
                    **({} if verb == "create" else {"resourceNames": [name]}),
                }
                for verb, plural in sorted(rights)
                if (plural == "secrets") == (group == "")
            ]
            role = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
            await made(f"{path}/{kind.lower()}s", {"metadata": {"name": name}, "rules": rules})
            await made(
                f"{path}/{kind.lower()}bindings", {"metadata": {"name": name}, "roleRef": role, "subjects": subjects}
            )
        token = await made(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{name}/token", {"spec": {}})
        config = yaml.safe_load(installed.control_plane.kubeconfig.read_text(encoding="utf-8"))
        config["users"][0]["user"] = {"token": token["status"]["token"]}
        path = tmp_path / "allowed.kubeconfig"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return path

    async def made(path, body):
        reply = await installed.request("POST", path, body)
        assert reply.status == 201, reply.body
        return reply.body

    return grant


async def test_these_rights_are_enough(installed, allowed):
    replica = await installed.start(CALM, await allowed(RIGHTS))
    installed.route()
    await installed.until_it_serves()
    for kind in KINDS:
        good = await installed.bundle(kind)
        await installed.set_bundle(kind, None)
        await eventually(installed.bundle, kind, lambda bundle, good=good: bundle == good)
    await lost(installed)
    await eventually(installed.secret, lambda data: set(data) == {"tls.crt", "tls.key", "ca.crt", "ca.key"})
    assert (await installed.request("GET", installed.path)).body["type"] == "Opaque"
    assert replica.managed.status().reasons == ()
    assert [line for line in replica.lines() if line["level"] not in ("info", "debug")] == []


@pytest.mark.parametrize(("verb", "plural"), sorted(RIGHTS))
async def test_without_one_of_them_the_log_says_which(installed, allowed, verb, plural):
    replica = await installed.start(CALM, await allowed(RIGHTS - {(verb, plural)}))
    if verb == "create":
        await lost(installed)

    def told():
        return [line["reason"] for line in replica.lines() if line["level"] in ("warning", "error")]

    await until(told, 20)
    assert {f'cannot {verb} resource "{plural}"' in reason for reason in told()} == {True}
    if verb == "watch":
        assert replica.managed.status().reasons == ()
    else:
        assert f'cannot {verb} resource "{plural}"' in replica.managed.status().reasons[0]


async def test_what_an_empty_secret_of_the_chart_may_look_like(installed):
    """Without data it cannot have the type of Secrets with certificates, and none at all will do as well."""
    reply = await installed.request("POST", SECRETS, {"metadata": {"name": "typed"}, "type": "kubernetes.io/tls"})
    assert (reply.status, "data[tls.crt]: Required value" in reply.message) == (422, True)
    await lost(installed)
    await installed.start_all(CALM, count=2)
    assert (await installed.request("GET", installed.path)).body["type"] == "Opaque"


async def eventually(read, *arguments, seconds=20):
    """Read until the last argument, a condition, holds."""
    *arguments, condition = arguments
    deadline = time.monotonic() + seconds
    while not condition(last := await read(*arguments)):
        assert time.monotonic() < deadline, last
        await asyncio.sleep(0.02)
    return last
