"""The first process of a node's namespaces: makes its mounts and its network, then reaps whoever is left behind.

usage: first_process.py FOLDER READY; uses the standard library only. READY is a file that is made in FOLDER in the end.
"""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

BRIDGE = "cni0"
NODE_ADDRESS = "10.88.0.1"
POD_NETWORK = f"{NODE_ADDRESS}/16"
SERVICE_NETWORK = "10.0.0.0/24"
API_SERVICE = "10.0.0.1"

KERNEL = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What a kubelet sets for the whole machine where it finds anything else (setupKernelTunables)."""


def command(*arguments: object) -> None:
    subprocess.run([str(argument) for argument in arguments], check=True)


def mount(folder: Path) -> None:
    """Nothing of this is seen outside; containers' mounts have to be seen by their pods."""
    command("mount", "--make-rshared", "/")
    for path in ("/run", "/var/lib", "/var/log"):
        command("mount", "-t", "tmpfs", "tmpfs", path)
    # Images are unpacked here: in memory they are gone at once, and nothing waits for a disk.
    containerd = folder / "containerd"
    containerd.mkdir()
    command("mount", "-t", "tmpfs", "tmpfs", containerd)
    kubelet = folder / "kubelet"
    kubelet.mkdir()
    Path("/var/lib/kubelet").mkdir()
    command("mount", "--bind", kubelet, "/var/lib/kubelet")
    command("mount", "--make-rshared", "/var/lib/kubelet")


def pretend_kernel_settings(folder: Path) -> None:
    """The kubelet finds its own wishes fulfilled, and leaves those of the machine alone."""
    for name, value in KERNEL.items():
        file = folder / "sysctl" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value + "\n")
        command("mount", "--bind", file, f"/proc/sys/{name}")


def network() -> None:
    """Loopback and one bridge for pods, and the address of the API server's Service, since there is no kube-proxy."""
    command("ip", "link", "set", "lo", "up")
    command("ip", "address", "add", f"{API_SERVICE}/32", "dev", "lo")
    command("ip", "link", "add", BRIDGE, "type", "bridge")
    command("ip", "address", "add", POD_NETWORK, "dev", BRIDGE)
    command("ip", "link", "set", BRIDGE, "up")
    command("ip", "route", "add", SERVICE_NETWORK, "dev", BRIDGE)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def reap() -> None:
    while True:
        signal.sigwait({signal.SIGCHLD})
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            continue


def main() -> None:
    folder = Path(sys.argv[1])
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    socket.sethostname("node")
    mount(folder)
    pretend_kernel_settings(folder)
    network()
    (folder / sys.argv[2]).touch()
    reap()


if __name__ == "__main__":
    main()
