"""Signs: what the status of a pod's containers tells about how they bear what is set on them.

The messages are the kubelet's, the runtimes' and those of programs, as docs/images.md has them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

_NOT_FOUND = ("no such file or directory", "not found")
_NOT_EXECUTABLE = 126
_KILLED_FOR_MEMORY = "OOMKilled"


class Trouble(StrEnum):
    """What a container has failed of, lately or now."""

    USER = "the kubelet does not start it as the user of its image"
    READ_ONLY = "it has failed to write to a read-only file system"
    MISSING_FILE = "its program was not found below /tmp"
    NOT_PERMITTED = "it has failed with 'operation not permitted', or could not run its program (exit code 126)"
    MEMORY = "it has been killed for the memory that it took"


@dataclass(frozen=True, slots=True)
class Sign:
    """What is known of one container: `user` is the user id of its first process, where the runtime tells it."""

    user: int | None = None
    troubles: tuple[Trouble, ...] = ()


NO_SIGN = Sign()
Signs = Mapping[str, Sign]
"""By the container's name; one that tells nothing is left out."""


class _Struct(msgspec.Struct, gc=False, eq=False, rename="camel"):
    pass


class _Reason(_Struct):
    """`waiting` and `terminated` have more; these are of interest."""

    reason: str | None = None
    message: str | None = None
    exit_code: int | None = None


class _State(_Struct):
    waiting: _Reason | None = None
    terminated: _Reason | None = None


class _Linux(_Struct):
    uid: int | None = None


class _User(_Struct):
    linux: _Linux | None = None


class _ContainerStatus(_Struct):
    name: str = ""
    state: _State | None = None
    last_state: _State | None = None
    user: _User | None = None


class _Status(_Struct):
    container_statuses: list[_ContainerStatus] | None = None
    init_container_statuses: list[_ContainerStatus] | None = None


def signs(status: object) -> Signs:
    """Read a pod's `status`; one that is not shaped as the API server's tells nothing."""
    try:
        found = msgspec.convert(status or {}, _Status)
    except msgspec.ValidationError:
        return {}
    told = {
        each.name: Sign(_user(each), tuple(dict.fromkeys(_troubles(each))))
        for each in (*(found.container_statuses or ()), *(found.init_container_statuses or ()))
    }
    return {name: sign for name, sign in told.items() if sign != NO_SIGN}


def _user(status: _ContainerStatus) -> int | None:
    """Kubernetes tells it since 1.33, where the runtime does (KEP-3619)."""
    return status.user.linux.uid if status.user and status.user.linux else None


def _troubles(status: _ContainerStatus) -> Iterator[Trouble]:
    for state in (status.state, status.last_state):
        for told in (state.waiting, state.terminated) if state else ():
            if told is not None:
                yield from _told(told)


def _told(told: _Reason) -> Iterator[Trouble]:
    message = (told.message or "").lower()
    if told.reason == "CreateContainerConfigError" and "runasnonroot" in message:
        yield Trouble.USER
    if "read-only file system" in message or "erofs" in message:
        yield Trouble.READ_ONLY
    if "/tmp/" in message and any(words in message for words in _NOT_FOUND):  # noqa: S108  a path in the pod
        yield Trouble.MISSING_FILE
    if told.exit_code == _NOT_EXECUTABLE or "operation not permitted" in message or "permission denied" in message:
        yield Trouble.NOT_PERMITTED
    if told.reason == _KILLED_FOR_MEMORY:
        yield Trouble.MEMORY
