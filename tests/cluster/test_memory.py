"""10,000 namespaces, 20,000 service accounts, 2,000 LimitRanges and 2,000 quotas fit into 128 MiB, the process included."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.cluster.api_double import RESOURCES
from tests.cluster.large import name
from tests.server.serving import until

NAMESPACES = 10_000
LISTS = 2

LIMITS = [
    {
        "type": "Container",
        "default": {"cpu": "1", "memory": "1Gi"},
        "min": {"cpu": "10m", "memory": "16Mi"},
        "maxLimitRequestRatio": {"cpu": "4"},
    },
    {"type": "Pod", "max": {"cpu": "8", "memory": "16Gi"}},
]


def add(api, resource, namespace, called, **fields):
    """As `put`, without telling any watch."""
    api.version += 1
    metadata = {"name": called, "namespace": namespace, "resourceVersion": str(api.version), "uid": "f" * 36}
    api.objects[resource][namespace, called] = {"metadata": metadata | fields.pop("metadata", {}), **fields}


def large(api):
    """Namespaces as teams have them: some labels are the same everywhere, and some are in no other."""
    for number in range(NAMESPACES):
        namespace = name(number)
        labels = {
            "kubernetes.io/metadata.name": namespace,
            "pod-security.kubernetes.io/enforce": "baseline",
            "environment": ["production", "staging", "development"][number % 3],
            "team": f"team-{number % 300}",
            "cost-center": str(number % 1000),
            "owner": f"user-{number}",
        }
        fields = {"f:metadata": {"f:labels": {label: {} for label in labels}}}
        metadata = {"labels": labels, "annotations": {"note": "n" * 200}, "managedFields": [{"fieldsV1": fields}]}
        add(api, "namespaces", namespace, namespace, metadata=metadata | {"namespace": ""})
        add(api, "serviceaccounts", namespace, "default", secrets=[{"name": "default-token-abcde"}])
        add(api, "serviceaccounts", namespace, "app", automountServiceAccountToken=number % 2 == 0)
        if number % 5 == 0:
            maximum = {"cpu": "4", "memory": f"{number % 64 + 1}Gi"}
            limits = [{**LIMITS[0], "max": maximum}, LIMITS[1]]
            add(api, "limitranges", namespace, "limits", spec={"limits": limits})
            add(api, "resourcequotas", namespace, "quota", spec={"hard": {"requests.cpu": "10", "pods": "50"}})


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
async def test_a_large_cluster_fits_into_128_mib_also_while_it_is_listed_anew(api, record_property):
    large(api)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.cluster.large", api.url, str(NAMESPACES), str(LISTS)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    for number in range(1, LISTS):
        await until(lambda: all(api.watching(resource) for resource in RESOURCES) or process.returncode, seconds=60)
        api.version += 1
        api.compact()
        for resource in RESOURCES:
            api.drop(resource)
        await until(lambda seen=number: all(len(api.watches(it)) > seen for it in RESOURCES) or process.returncode, 60)
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    mebibytes = float(output)
    record_property("summary", f"the peak with a large cluster: {mebibytes:.0f} MiB")
    assert 50 < mebibytes < 128
