"""Rules: what in a container points to a change that it may not bear. Each is pure, and knows one pattern of docs/images.md."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from hardener.model import Container, Value, Write, parse_quantity
from hardener.report.signs import NO_SIGN, Sign
from hardener.wording import one_line

PRIVILEGED_PORTS = 1024
"""Ports below are the superuser's, or those of a program with NET_BIND_SERVICE."""

UNPRIVILEGED_PORTS = "net.ipv4.ip_unprivileged_port_start"
TOKEN_FOLDER = "/secrets/kubernetes.io/serviceaccount"  # noqa: S105  a path
NOT_WRITABLE = ("configMap", "secret", "projected", "downwardAPI", "image")
"""Sources of volumes that a container cannot write to."""

PATH_LENGTH = 80
"""Characters of a path that are repeated."""

Json = Mapping[str, object]


@dataclass(frozen=True)
class Case:
    """What one control would change in one container; `raw` is the container as JSON has it, `spec` the pod's."""

    spec: Json
    raw: Json
    container: Container
    writes: Sequence[Write]
    sign: Sign = NO_SIGN

    @cached_property
    def words(self) -> list[str]:
        """Its command, its arguments, and its variables as NAME=value."""
        variables = [f"{each.get('name')}={each.get('value')}" for each in rows(self.raw, "env") if each.get("value")]
        return [*_texts(self.raw.get("command")), *_texts(self.raw.get("args")), *variables]

    @cached_property
    def command(self) -> str:
        """Its command and its arguments, as one text."""
        return " ".join((*_texts(self.raw.get("command")), *_texts(self.raw.get("args"))))

    def adds(self, *capabilities: str) -> bool:
        return not self.container.added_capabilities.isdisjoint((*capabilities, "ALL"))

    def written(self, *path: str) -> Iterator[Value]:
        """What would be written at a path of the container."""
        return (write.value for write in self.writes if write.path == path and write.value is not None)


Rule = Callable[[Case], str | None]
"""Pure: the reason for which the container may not bear the change, or None."""


def unknown_user(case: Case) -> str | None:
    """Images without USER, or with one by name, do not start under `runAsNonRoot` (kuberuntime's verifyRunAsNonRoot)."""
    if case.container.run_as_user is not None:
        return None
    user = case.sign.user
    if user == 0:
        return "it runs as user 0 now: the kubelet would not start it"
    if user is not None:
        return (
            f"it runs as user {user} now, but only its image says so: if that names the user by letters, the kubelet "
            "would not start it"
        )
    return "nothing says which user its image has: if it is root, or named by letters, the kubelet would not start it"


def writes_to_the_node(case: Case) -> str | None:
    """A policy may harden what mounts the node's folders too (`hostAgents: harden`)."""
    paths = {
        str(volume.get("name")): str(source.get("path"))
        for volume in rows(case.spec, "volumes")
        if isinstance(source := volume.get("hostPath"), Mapping)
    }
    for mount in rows(case.raw, "volumeMounts"):
        path = paths.get(str(mount.get("name")))
        if path is not None and not mount.get("readOnly"):
            return f"it may write to {_quoted(path)} of the node, which most often belongs to root"
    return None


def writes_to_its_image(case: Case) -> str | None:
    """A service that writes to /var/cache, /run and the like, and was never told of a volume."""
    user = case.container.run_as_user if case.container.run_as_user is not None else case.sign.user
    # An image's files belong to root, but for those that its author has given away.
    if user or _can_write(case):
        return None
    return "it has no volume of its own to write to, and may be root: what it writes outside of /tmp would fail"


def reads_from_a_hidden_folder(case: Case) -> str | None:
    """An image may keep a file of its own under /tmp."""
    folders = [str(value["mountPath"]) for value in case.written("volumeMounts") if isinstance(value, dict)]
    for word, folder in product(case.words, folders):
        # Nothing but the path is repeated: what stands beside it may be a secret.
        found = re.search(rf"(?:^|[=:,\s\"'])({re.escape(folder)}/[\w./-]*\w)", word)
        if found and not re.search(rf"(?:touch|mkdir(?: -p)?|>)\s*{re.escape(found[1])}", word):
            return f"it names {_quoted(found[1])}, which an empty volume would hide if it is a file of the image"
    return None


def listens_on_a_low_port(case: Case) -> str | None:
    """Runtimes differ: newer ones open low ports to all users of a pod, containerd 1.6 does not."""
    if case.adds("NET_BIND_SERVICE"):
        return None
    lowest = _lowest_free_port(case.spec)
    ports = [each.get("containerPort") for each in rows(case.raw, "ports")]
    low = sorted(port for port in ports if isinstance(port, int) and 0 < port < lowest)
    if not low:
        return None
    return (
        f"it listens on port {low[0]}: without NET_BIND_SERVICE, that fails where the runtime keeps low ports for root"
    )


_CALLS = (
    (re.compile(r"\bchown\b"), "chown", ("CHOWN",)),
    (
        re.compile(r"\b(gosu|su-exec|setpriv|runuser|setuidgid|chpst|su|sudo)\b"),
        "a change of user",
        ("SETUID", "SETGID"),
    ),
    (re.compile(r"\b(ping6?|tcpdump|traceroute|arping)\b"), "raw sockets", ("NET_RAW",)),
    (re.compile(r"\bchroot\b"), "chroot", ("SYS_CHROOT",)),
    (re.compile(r"\bsetcap\b"), "setcap", ("SETFCAP",)),
    (re.compile(r"\bmknod\b"), "mknod", ("MKNOD",)),
)
_SETUID_PROGRAMS = re.compile(r"\b(sudo|su|ping6?|newuidmap|newgidmap|fusermount3?|mount|umount|passwd)\b")
_BROWSERS = re.compile(r"(chrome|chromium|puppeteer|playwright|selenium|browserless)", re.IGNORECASE)


def calls_what_needs_capabilities(case: Case) -> str | None:
    """Init containers that give a volume to its user, and entry points that start as root and change user."""
    for pattern, what, capabilities in _CALLS:
        if pattern.search(case.command) and not case.adds(*capabilities):
            return f"its command speaks of {what}, which takes {' and '.join(capabilities)}"
    return None


def calls_what_gains_privileges(case: Case) -> str | None:
    """Programs with the setuid bit or file capabilities fail under `no_new_privs`."""
    found = _SETUID_PROGRAMS.search(case.command)
    return f"its command speaks of {found[0]}, which often gains privileges by its setuid bit" if found else None


def is_a_browser(case: Case) -> str | None:
    """Browsers make user namespaces for sandboxes of their own."""
    found = _BROWSERS.search(str(case.raw.get("image", "")))
    return (
        f"its image speaks of {found[0]}: browsers make user namespaces, which the profile forbids" if found else None
    )


def reads_the_token(case: Case) -> str | None:
    """A program that calls the API server, as the account `default`."""
    named = any(TOKEN_FOLDER in word for word in case.words)
    return "it names the folder of the token" if named else None


_HEAP = re.compile(
    r"(?:-Xmx|-XX:MaxHeapSize=)(?P<java>\d+)(?P<java_unit>[kKmMgGtT]?)"
    r"|--max[-_]old[-_]space[-_]size[= ](?P<node>\d+)"
    r"|^GOMEMLIMIT=(?P<go>\d+)(?P<go_unit>[KMGT]?)i?B?$"
)
"""How Java, Node.js and Go are told how much memory they may take."""


_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def plans_for_more_memory(case: Case) -> str | None:
    """Java, Node.js and Go may be told how much memory they may take."""
    limit = next((parse_quantity(str(value)) for value in case.written("resources", "limits", "memory")), None)
    planned = max((_heap(found) for word in case.words for found in _HEAP.finditer(word)), default=0)
    if limit is None or planned <= limit:
        return None
    return f"it is told to take up to {planned // 2**20} MiB of memory, and the limit would be below"


RULES: Mapping[str, tuple[Rule, ...]] = {
    "allowPrivilegeEscalation": (calls_what_gains_privileges,),
    "automountServiceAccountToken": (reads_the_token,),
    "capabilities": (listens_on_a_low_port, calls_what_needs_capabilities, writes_to_the_node),
    "readOnlyRootFilesystem": (reads_from_a_hidden_folder, writes_to_its_image),
    "resources": (plans_for_more_memory,),
    "runAsNonRoot": (unknown_user, writes_to_the_node),
    "seccompProfile": (is_a_browser,),
}
"""By the control whose change may be more than the container bears."""


def _can_write(case: Case) -> bool:
    """Whether a volume of the author's is mounted that can be written to."""
    read_only = {
        str(volume.get("name"))
        for volume in rows(case.spec, "volumes")
        if any(volume.get(source) is not None for source in NOT_WRITABLE)
    }
    return any(
        not mount.get("readOnly") and str(mount.get("name")) not in read_only
        for mount in rows(case.raw, "volumeMounts")
    )


def _lowest_free_port(spec: Json) -> int:
    context = spec.get("securityContext")
    for sysctl in rows(context, "sysctls") if isinstance(context, Mapping) else ():
        value = str(sysctl.get("value"))
        if sysctl.get("name") == UNPRIVILEGED_PORTS and value.isdecimal():
            return int(value)
    return PRIVILEGED_PORTS


def _heap(found: re.Match[str]) -> int:
    """Bytes; Node.js counts in MiB."""
    if found["node"]:
        return int(found["node"]) * 2**20
    unit = (found["java_unit"] or found["go_unit"] or "").upper()
    return int(found["java"] or found["go"]) * _UNITS[unit]


def _texts(value: object) -> list[str]:
    return [str(word) for word in value if word] if isinstance(value, list) else []


def rows(table: Json, field: str) -> list[Json]:
    """The mappings in a list; one that is none is empty, so that indices stay."""
    found = table.get(field)
    return [row if isinstance(row, Mapping) else {} for row in found] if isinstance(found, list) else []


def _quoted(text: str) -> str:
    return f"`{one_line(text, PATH_LENGTH)}`"
