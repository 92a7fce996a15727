"""A live cluster for commands: how to reach it, its configuration, and the facts of its namespaces.

What speaks to the API server is imported only when it is needed: the libraries behind it take their time.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hardener.errors import StartError
from hardener.model import Facts
from hardener.policy.config import Config
from hardener.policy.form import KIND
from hardener.policy.reading import parse_config

if TYPE_CHECKING:
    from hardener.cluster import Credentials
    from hardener.cluster.survey import Survey

FIRST_KEY = "config.yaml"
"""The key of a ConfigMap that is looked at before all others."""

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?")
"""What names can be made of; anything else must not become part of a path."""

IN_A_POD = "KUBERNETES_SERVICE_HOST"
KUBECONFIG = "KUBECONFIG"

kubeconfig_option = click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="How to reach the cluster, by the file's current context. Without it: as the pod's service account, or else "
    "$KUBECONFIG, or ~/.kube/config.",
)
config_from_option = click.option(
    "--config-from",
    metavar="NAMESPACE/CONFIGMAP",
    callback=lambda _ctx, _param, value: None if value is None else _place(value),
    help="Read the configuration from the cluster, as hardener-system/hardener.",
)
namespaces_option = click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    metavar="NAME",
    callback=lambda _ctx, _param, value: _namespaces(value),
    help="Look at this namespace only; may be given again. Rights in it are enough then.",
)


def one_configuration(config: Path | None, config_from: tuple[str, str] | None) -> None:
    """Raise UsageError where both a file and a ConfigMap are named."""
    if config is not None and config_from is not None:
        raise click.UsageError("--config and --config-from exclude one another", click.get_current_context())


def live_credentials(kubeconfig: Path | None) -> "Credentials":
    """Those of a file, of this pod, or those that kubectl would take. Raises StartError where there are none."""
    from hardener.cluster import credentials  # noqa: PLC0415  see above

    if kubeconfig is not None or IN_A_POD in os.environ:
        return credentials(kubeconfig)
    named = os.environ.get(KUBECONFIG)
    usual = Path(named) if named else Path.home() / ".kube" / "config"
    if not named and not usual.is_file():
        raise StartError(
            f"no cluster was found: name a kubeconfig with --kubeconfig or in {KUBECONFIG}, or run inside a pod that has "
            "its service account's token"
        )
    return credentials(usual)


async def read_config(survey: "Survey", namespace: str, name: str) -> Config:
    """The configuration in a ConfigMap. Raises StartError where there is none, and ConfigError for its mistakes."""
    texts = await survey.config_map(namespace, name)
    keys = [key for key in (FIRST_KEY, *sorted(texts)) if KIND in texts.get(key, "")]
    if not keys:
        raise StartError(f"the ConfigMap {namespace}/{name} holds no {KIND} under any of its keys")
    return parse_config(texts[keys[0]], f"{namespace}/{name}:{keys[0]}")


def live_config(kubeconfig: Path | None, place: tuple[str, str]) -> Config:
    """The same for who wants nothing else of the cluster."""
    import asyncio  # noqa: PLC0415  see above

    from hardener.cluster.survey import Survey  # noqa: PLC0415  see above

    async def read() -> Config:
        async with Survey(live_credentials(kubeconfig)) as survey:
            return await read_config(survey, *place)

    return asyncio.run(read())


def live_facts(kubeconfig: Path | None, namespaces: Iterable[str] = ()) -> tuple[Mapping[str, Facts], list[str]]:
    """The facts of some namespaces, or of all, and what could not be read, such as a namespace that is not there.

    A name that no namespace can have has no facts. Raises StartError where the cluster cannot be reached at
    all.
    """
    import asyncio  # noqa: PLC0415  see above

    from hardener.cluster.survey import Survey  # noqa: PLC0415  see above

    asked = tuple(namespaces)
    meant = tuple(name for name in asked if _LABEL.fullmatch(name))
    if asked and not meant:
        return {}, []

    async def read() -> tuple[Mapping[str, Facts], list[str]]:
        async with Survey(live_credentials(kubeconfig), meant) as survey:
            return await survey.facts(), survey.problems

    return asyncio.run(read())


def _place(text: str) -> tuple[str, str]:
    namespace, _, name = text.partition("/")
    if not _LABEL.fullmatch(namespace) or not _NAME.fullmatch(name):
        raise click.BadParameter(f"{text!r} names no ConfigMap; write NAMESPACE/NAME")
    return namespace, name


def _namespaces(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if not _LABEL.fullmatch(name):
            raise click.BadParameter(f"{name!r} cannot be the name of a namespace")
    return tuple(names)
