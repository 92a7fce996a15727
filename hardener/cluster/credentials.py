"""Where the API server is and how it knows us, found as pods and kubectl find it."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from kubernetes.aio import config
from kubernetes.aio.client import Configuration

from hardener.errors import StartError

Credentials = Callable[[], Awaitable[Configuration]]
"""Reads them, anew each time; raises StartError where there are none."""

_load_kubeconfig: Callable[..., Awaitable[object]] = config.load_kube_config
_load_in_cluster: Callable[..., None] = config.load_incluster_config


def credentials(kubeconfig: Path | None = None) -> Credentials:
    """Those of a kubeconfig's current context, or those that the kubelet has mounted into this pod."""
    if kubeconfig is None:
        return _of_this_pod
    return lambda: _of_kubeconfig(kubeconfig)


async def _of_this_pod() -> Configuration:
    configuration = Configuration()
    try:
        _load_in_cluster(configuration)
    except (config.ConfigException, OSError) as error:
        raise StartError(
            f"no credentials of a cluster were found ({str(error).rstrip('.')}); run inside a pod that has its service "
            "account's token, name a kubeconfig with --kubeconfig, or use --standalone"
        ) from error
    return configuration


async def _of_kubeconfig(path: Path) -> Configuration:
    if not path.is_file():  # noqa: ASYNC240 - a local file is found at once, and the loader reads it in the same way
        raise StartError(f"{path}: there is no such kubeconfig; name one that exists")
    configuration = Configuration()
    # The loader splits what it is given, as KUBECONFIG may name several files.
    if os.pathsep in str(path):
        raise StartError(f"{path}: a kubeconfig's path cannot hold {os.pathsep!r}; name one file, or move it")
    try:
        await _load_kubeconfig(str(path), client_configuration=configuration, persist_config=False)
    # The loader raises whatever a file of another shape happens to lead to.
    except Exception as error:
        # What is no YAML is told in several lines.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StartError(
            f"{path}: is not a kubeconfig that can be used ({reason}); "
            "try it with: kubectl --kubeconfig FILE get namespaces"
        ) from error
    return configuration
