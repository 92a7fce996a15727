"""docs/images.md: what becomes of images under the default policy, as the trials have measured it."""

from collections.abc import Iterator, Mapping

import yaml

from tests.e2e.on_node.behaviours import BEHAVIOURS, Behaviour
from tests.e2e.on_node.trials import Trials, opt_out
from tests.e2e.on_node.verdict import Verdict

PAGE = "docs/images.md"

HEAD = """\
# What images bear

<!-- Written by `make e2e ARGS=--write-docs`, as measured: change tests/e2e/on_node/behaviours.py, not this. -->

The webhook sees pods and not images: whom an image runs as, where it writes and what it needs shows only once it runs. Each
image below was run on a real node: without the webhook, where all of them work; under the policy `standard`; with each
single control; and with what brings it back.

Measured with {versions}.

"""

BROKEN = """\
## What goes wrong, and the opt-out that mends it

Put the annotation on the pod, or on the pod template of a workload. Where an image stands here more than once, it needs all
of its words: `hardener.dev/opt-out: "runAsNonRoot, capabilities"`. `kubectl describe pod` shows the messages of the kubelet,
`kubectl logs --previous` the last words of a program that crashes.

| the image | control | the pod shows | message | opt-out |
|---|---|---|---|---|
"""

BETTER = """
## What is better than an opt-out

A pod that says what it needs runs under the policy as it is: what its author wrote is kept, and everything else is still
hardened. For a path that many images write to, the policy can say it for all: `writablePaths: [/tmp, /var/cache]`.

| the image | in the pod's spec |
|---|---|
"""

HOLDS = """
## What runs as it is

| the image | control that holds back by itself |
|---|---|
"""

SAYS = """
## What a container finds out about itself

A program of an ordinary image, without the webhook and with it:

| | without | with |
|---|---|---|
"""

FACTS = {
    "CapEff": "capabilities that it has (`CapEff`), as root",
    "NoNewPrivs": "it can gain no privileges (`NoNewPrivs`)",
    "Seccomp": "filter of system calls (`Seccomp`: 0 none, 2 a filter)",
    "root": "`/` is mounted",
    "tmp": "`/tmp`",
    "token": "service account token",
}


def page(trials: Trials, versions: Mapping[str, str]) -> str:
    """The whole page; a message is what the kubelet says, or the last line of the program."""
    text = HEAD.format(versions=", ".join(f"{name} {version}" for name, version in versions.items()))
    for section, rows in ((BROKEN, _broken), (BETTER, _better), (HOLDS, _unbroken), (SAYS, _says)):
        text += section + "".join(f"| {' | '.join(row)} |\n" for row in rows(trials))
    return text


def _broken(trials: Trials) -> Iterator[tuple[str, ...]]:
    for behaviour in BEHAVIOURS:
        for control in behaviour.breaks:
            verdict = trials.verdict(behaviour, control)
            (key,) = opt_out(behaviour)
            yield (
                behaviour.does,
                f"[{control}](controls.md#{control.lower()})",
                verdict.happens,
                _message(verdict),
                f'`{key}: "{control}"`',
            )


def _better(trials: Trials) -> Iterator[tuple[str, ...]]:
    for behaviour in BEHAVIOURS:
        if behaviour.better:
            yield behaviour.does, "<br>".join(f"`{line}`" for line in _flow(behaviour.better))


def _unbroken(trials: Trials) -> Iterator[tuple[str, ...]]:
    for behaviour in BEHAVIOURS:
        if not behaviour.breaks:
            yield behaviour.does, ", ".join(behaviour.held)


def _says(trials: Trials) -> Iterator[tuple[str, ...]]:
    root = _named("root")
    plain, hardened = trials.verdict(root, "plain"), trials.verdict(root, "opted-out")
    for fact, name in FACTS.items():
        yield name, plain.reports["app"][fact], hardened.reports["app"][fact]


def _flow(text: str) -> Iterator[str]:
    """YAML with one line for each key of the spec."""
    for key, value in yaml.safe_load(text).items():
        yield yaml.safe_dump({key: value}, default_flow_style=True, sort_keys=False, width=10**6).strip()[1:-1]


def _named(name: str) -> Behaviour:
    return next(behaviour for behaviour in BEHAVIOURS if behaviour.name == name)


def _message(verdict: Verdict) -> str:
    lines = verdict.message.splitlines()
    return f"`{lines[-1]}`" if lines else ""
