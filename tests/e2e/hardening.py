"""What a pod that came out of the API server lacks, read from the pod alone, and the reasons that hardener gives for it."""

from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from hardener.engine import harden
from hardener.model import STANDALONE
from hardener.wording import THE_POD, describe_at
from tests.e2e.cluster import Cluster, Json
from tests.e2e.waiting import eventually
from tests.pod_json import CONTAINER_LISTS, capability_names, effective, rows, security, spec, table
from tests.pods import STANDARD, view

Place = tuple[str, str]
"""A control, and the container that it is about, or `the pod`."""

TOKEN_PREFIX = "kube-api-access-"
WITHOUT_PROFILE = (None, "Unconfined")


def lacking(pod: Json) -> set[Place]:
    """Each control of the standard policy that cannot be seen on the pod, by container."""
    found: set[Place] = set()
    for field in CONTAINER_LISTS:
        for container in rows(spec(pod).get(field)):
            requests = table(table(container.get("resources")).get("requests"))
            seen = {
                "allowPrivilegeEscalation": security(container).get("allowPrivilegeEscalation") is False,
                "capabilities": "ALL" in capability_names(container, "drop"),
                "readOnlyRootFilesystem": security(container).get("readOnlyRootFilesystem") is True,
                "resources": {"cpu", "memory"} <= set(requests),
                "runAsNonRoot": effective(pod, container, "runAsNonRoot") is True,
                "seccompProfile": table(effective(pod, container, "seccompProfile")).get("type") not in WITHOUT_PROFILE,
            }
            found |= {(control, str(container["name"])) for control, is_there in seen.items() if not is_there}
    has_token = any(str(volume["name"]).startswith(TOKEN_PREFIX) for volume in rows(spec(pod).get("volumes")))
    if has_token or spec(pod).get("automountServiceAccountToken") is not False:
        found.add(("automountServiceAccountToken", THE_POD))
    return found


def held_back(pod: Json) -> dict[Place, str]:
    """What hardener says about this very pod: the reasons for what it leaves alone. It must find nothing to change."""
    outcome = harden(view(pod), STANDARD, STANDALONE, datetime.now(UTC).date())
    left = [
        (verdict.control, describe_at(write.at), write.path) for verdict in outcome.verdicts for write in verdict.writes
    ]
    assert not left, f"the pod is not settled: {left}"
    return {
        (verdict.control, describe_at(skip.at)): skip.reason for verdict in outcome.verdicts for skip in verdict.skips
    }


def is_hardened(pod: Json) -> bool:
    """Whether the pod lacks nothing; AssertionError says what."""
    missing = lacking(pod)
    assert not missing, f"{pod['metadata']['name']} lacks {sorted(missing)}"
    return True


def spec_sent_again(written: Json, made: Json) -> Json:
    """The spec of a pod that was made, as somebody would send it who knows what its author wrote.

    What the API server has dropped, as 1.33 does with the resources of the whole pod and with the claims of containers, is
    dropped after the webhook has seen it, and is there for it to see again.
    """
    whole = {**spec(written), **spec(made)}
    for field in CONTAINER_LISTS:
        pairs = zip_longest(rows(spec(written).get(field)), rows(whole.get(field)), fillvalue={})
        if field in whole:
            whole[field] = [_with_claims(table(old.get("resources")).get("claims"), new) for old, new in pairs]
    return whole


def _with_claims(claims: Any, container: Json) -> Json:
    return {**container, "resources": {**table(container.get("resources")), "claims": claims}} if claims else container


def wait_until_hardened(cluster: Cluster, namespace: str) -> None:
    """Wait until the pods that are made in a namespace are hardened; it takes a moment after it was labelled."""
    pod = {"metadata": {"name": "probe"}, "spec": {"containers": [{"name": "probe", "image": "probe:1"}]}}
    path, query = f"/api/v1/namespaces/{namespace}/pods", {"dryRun": "All"}
    eventually(
        lambda: is_hardened(cluster.request("POST", path, pod, query=query).body),
        what=f"pods are hardened in {namespace}",
    )
