"""Node: a control plane and a real kubelet with containerd and runc, in private namespaces with no way out."""

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.binaries import NODE, MissingError
from tests.e2e.cluster import TOKEN_FILE
from tests.e2e.control_plane import ControlPlane
from tests.e2e.first_process import API_SERVICE, NODE_ADDRESS
from tests.e2e.images import File, Image, Layer, write_archive
from tests.e2e.namespaces import Namespaces
from tests.e2e.node_files import SANDBOX_IMAGE, SOCKET, write_files
from tests.e2e.processes import Process

NAME = "node"
TOKEN = "node-token"
PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "/bin/busybox": "busybox-static",
    "ip": "iproute2",
    "nsenter": "util-linux",
}
"""What must be there, and the Debian package that brings it."""

FLAGS = (
    f"--advertise-address={NODE_ADDRESS}",
    "--authorization-mode=Node",  # added to the others
    "--enable-admission-plugins=NodeRestriction",
    "--kubelet-preferred-address-types=InternalIP",
    "--enable-aggregator-routing=true",  # webhooks behind Services are called without a kube-proxy
)


class Node(ControlPlane):
    """A context manager; needs root and Linux. `images` can be run, and what `load` adds; none can be pulled. Raises MissingError.

    `url` and the kubeconfigs work out here and inside. Pods reach the API server at the address of its Service.
    """

    programs = NODE

    def __init__(self, images: Sequence[Image] = (), *, api_flags: Sequence[str] = ()) -> None:
        require_node()
        super().__init__(api_flags=[*FLAGS, *api_flags])
        self.namespaces = Namespaces(self.folder)
        self._images = images
        self._archives = itertools.count()

    def __exit__(self, *_: object) -> None:
        self.namespaces.__exit__()
        super().__exit__()

    def load(self, images: Sequence[Image]) -> None:
        """Give the node images that its pods can run."""
        archive = self.folder / f"images-{next(self._archives)}.tar"
        write_archive(images, archive)
        self.namespaces.run("ctr", f"--address={SOCKET}", "--namespace=k8s.io", "images", "import", archive)
        archive.unlink()

    def versions(self) -> dict[str, str]:
        """Minor versions of what decides whether a pod runs: patches change nothing that the tests look at."""
        found = {"Kubernetes": self.version}
        for program in ("containerd", "runc"):
            words = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split()
            found[program] = next(word.removeprefix("v") for word in words if word.removeprefix("v")[:1].isdigit())
        return {name: ".".join(version.split(".")[:2]) for name, version in found.items()}

    def _start(self) -> None:
        self.namespaces.__enter__()
        port = self._ports[0].number
        self.namespaces.forward(port)
        self.namespaces.forward_inside((API_SERVICE, 443), ("127.0.0.1", port))
        write_files(self.folder, self.namespaces.cgroup)
        containerd = self._run("containerd", f"--config={self.folder}/containerd.toml")
        containerd.wait_until(self._has_containerd)
        with ThreadPoolExecutor(1) as executor:
            importing = executor.submit(self.load, [self._sandbox(), *self._images])
            super()._start()
            importing.result()
        self._run("kube-scheduler", *self._scheduler_flags())
        self._run("kubelet", *self._kubelet_flags()).wait_until(self._is_node_ready)

    def _run(self, program: str, *flags: str) -> Process:
        """Kubernetes' own programs are its binaries, the others are installed on this machine."""
        binary = self.binaries / program
        command = [*self.namespaces.prefix, binary if binary.exists() else program, *flags]
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder)}
        process = Process(command, self.folder / f"{program}.log", environment)
        self._processes.append(process)
        return process

    def _write_files(self) -> None:
        super()._write_files()
        (self.folder / "tokens.csv").write_text(f'{TOKEN_FILE}{TOKEN},system:node:{NAME},{NAME},"system:nodes"\n')
        config = json.loads(self.kubeconfig.read_text())
        config["users"][0]["user"]["token"] = TOKEN
        (self.folder / "node.kubeconfig").write_text(json.dumps(config))

    def _has_containerd(self) -> bool:
        return not subprocess.run(
            [*self.namespaces.prefix, "ctr", f"--address={SOCKET}", "version"], capture_output=True, check=False
        ).returncode

    def _sandbox(self) -> Image:
        pause = Layer(lambda: [File("pause", (self.binaries / "pause").read_bytes(), 0o755)])
        return Image(SANDBOX_IMAGE, [pause], entrypoint=["/pause"], user="65535:65535")

    def _is_node_ready(self) -> bool:
        node = self.request("GET", f"/api/v1/nodes/{NAME}")
        conditions = node.body["status"].get("conditions", []) if node.ok else []
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def _scheduler_flags(self) -> list[str]:
        config = self.kubeconfig
        return [
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--leader-elect=false",
            "--secure-port=0",
        ]

    def _kubelet_flags(self) -> list[str]:
        return [
            f"--config={self.folder}/kubelet.yaml",
            f"--kubeconfig={self.folder}/node.kubeconfig",
            f"--hostname-override={NAME}",
            f"--node-ip={NODE_ADDRESS}",
            f"--cert-dir={self.folder}/kubelet-certificates",
        ]


def require_node() -> None:
    """Raise MissingError where this machine cannot run a node; as root on Debian, install what it lacks."""
    if os.uname().sysname != "Linux" or os.geteuid() != 0:
        raise MissingError("the node of the end-to-end tests needs Linux and root")
    packages = _missing_packages()
    if packages and shutil.which("apt-get"):
        for command in (["update", "-qq"], ["install", "-qq", "--yes", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        packages = _missing_packages()
    if packages:
        raise MissingError(f"the node of the end-to-end tests needs the Debian packages {' '.join(packages)}")


def _missing_packages() -> list[str]:
    return [package for program, package in PACKAGES.items() if not (shutil.which(program) or Path(program).exists())]
