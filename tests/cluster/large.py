"""A process with the server and a Cluster that watches what its argument names; it prints its memory in MiB, and ends."""

import re
import sys
from pathlib import Path

import uvloop

import hardener.server.running  # noqa: F401 - its memory counts
from hardener.cluster import Cluster
from tests.cluster.parts import credentials_for
from tests.server.serving import until


async def main() -> None:
    url, namespaces, lists = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    async with Cluster(credentials_for(url)) as cluster:
        if not await cluster.wait_until_synced(60):
            sys.exit(f"not synced: {cluster.status()}")
        read_all(cluster, namespaces)
        # Each further list is held beside the rows that it replaces.
        await until(lambda: min(watch.lists for watch in cluster.status().watches) == lists, seconds=60)
        read_all(cluster, namespaces)
        sys.stdout.write(f"{peak()}\n")


def read_all(cluster: Cluster, namespaces: int) -> None:
    """Have the facts of all namespaces made, as pods in all of them would."""
    for number in range(namespaces):
        if not cluster.facts(name(number)).known:
            sys.exit(f"{name(number)} is not known")


def name(number: int) -> str:
    return f"team-{number:05d}-namespace"


def peak() -> float:
    """The most that the process ever had in memory."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    if found is None:
        sys.exit("the kernel does not tell the peak")
    return int(found[1]) / 1024


if __name__ == "__main__":
    uvloop.run(main())
