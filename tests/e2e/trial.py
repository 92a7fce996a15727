"""`python -m tests.e2e.trial [--node]`: a cluster for people, with the webhook registered, until Ctrl-C."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.binaries import MissingError
from tests.e2e.control_plane import ControlPlane
from tests.e2e.node import Node
from tests.e2e.on_node.behaviours import BEHAVIOURS
from tests.e2e.processes import Process
from tests.e2e.registration import LABEL, register_hardener
from tests.e2e.webhook import Hardener
from tests.e2e.webhook_pod import NAMESPACE, deploy_webhook

POLL_SECONDS = 0.2


def main() -> int:
    """Start, print, follow the log; 2 and one line where this machine lacks something."""
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("--node", action="store_true", help="with a node, on which pods run; needs root and Linux")
    start = _with_node if parser.parse_args().node else _without_node
    # An end by a signal is an end like any other: everything is stopped and removed. Who starts this in the background
    # may have had SIGINT ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    sys.stdout.write("starting ...\n")
    sys.stdout.flush()
    try:
        with start() as (cluster, image, log):
            cluster.request(
                "PATCH",
                "/api/v1/namespaces/default",
                {"metadata": {"labels": {LABEL: "true"}}},
                content_type="application/merge-patch+json",
            )
            cluster.make_service_account("default", "default")
            sys.stdout.write(_welcome(cluster, image))
            sys.stdout.flush()
            _follow(log)
    except MissingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stdout.write("\n")
    return 0


@contextmanager
def _without_node() -> Iterator[tuple[ControlPlane, str, Path]]:
    with ControlPlane() as cluster, Hardener() as hardener:
        register_hardener(cluster, hardener, explains=True)
        yield cluster, "localhost/any:1", hardener.folder / "log"


@contextmanager
def _with_node() -> Iterator[tuple[ControlPlane, str, Path]]:
    images = {each.image.reference: each.image for each in BEHAVIOURS}
    with Node(list(images.values())) as node:
        deploy_webhook(node)
        log = node.folder / "hardener.log"
        command = [node.binaries / "kubectl", f"--kubeconfig={node.kubeconfig}", f"--namespace={NAMESPACE}"]
        following = Process([*command, "logs", "--follow", "deployment/hardener"], log)
        try:
            yield node, "localhost/app:uid1000", log
        finally:
            following.end()


def _welcome(cluster: ControlPlane, image: str) -> str:
    hints = {
        f"kubectl create deployment web --image={image}": "warnings say what its pods will receive",
        "kubectl get pods --selector=app=web --output=yaml": "what they have received, and by which policy",
        f"kubectl run bare --image={image} --dry-run=server --output=yaml": "a pod without a workload, for a look only",
    }
    width = max(map(len, hints))
    lines = "\n".join(f"  {command:<{width}}  # {outcome}" for command, outcome in hints.items())
    return f"""\
Kubernetes {cluster.version}. Pods of the namespace default are hardened, and those of any that you label {LABEL}=true.
In another terminal:

  export KUBECONFIG={cluster.kubeconfig} PATH={cluster.binaries}:$PATH
{lines}

Below is the webhook's log; Ctrl-C ends and removes everything.

"""


def _follow(log: Path) -> None:
    """Print what comes into a file, until this is interrupted."""
    with log.open("rb") as lines:
        lines.seek(0, 2)
        while True:
            if new := lines.read():
                sys.stdout.buffer.write(new)
                sys.stdout.flush()
            else:
                time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
