"""Whole requests through admission, without a server; and configurations for them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import jsonpatch

from hardener.admission import (
    Explained,
    Result,
    decode,
    decode_workload,
    encode,
    encode_explanation,
    explain,
    respond,
)
from hardener.model import STANDALONE, Control, Facts, Mode
from hardener.policy.config import Config, OnError
from hardener.policy.policy import Enabled
from hardener.policy.reading import embedded_config, parse_config
from tests.admission.reviews import POD, patch, response
from tests.pods import TODAY

EMBEDDED = embedded_config()
HEADER = "apiVersion: hardener.dev/v1\nkind: HardenerConfig\n"
BUG = RuntimeError("a bug")


def config(text: str) -> Config:
    """Read a configuration without its header; its first line is line 3 of test.yaml."""
    return parse_config(HEADER + text, "test.yaml")


def ask(
    body: bytes, with_config: Config = EMBEDDED, facts: Facts = STANDALONE, today: Any = TODAY
) -> tuple[Result, dict[str, Any]]:
    """One request through all of admission; the answer's result beside its response."""
    answer = respond(decode(body), with_config, facts, today)
    return answer.result, response(encode(answer))


def ask_explain(
    body: bytes, with_config: Config = EMBEDDED, facts: Facts = STANDALONE, today: Any = TODAY
) -> tuple[Explained, list[str]]:
    """One request for an explanation; its result beside its warnings, which are all that it may hold."""
    review = decode_workload(body)
    explanation = explain(review, with_config, facts, today)
    told = response(encode_explanation(explanation))
    warnings = told.pop("warnings", [])
    assert told == {"uid": review.uid, "allowed": True}
    return explanation.result, warnings


def annotated(annotations: dict[str, str], *containers: dict[str, Any]) -> dict[str, Any]:
    """`POD` with annotations, and with other containers if any are given."""
    spec = {**POD["spec"], "containers": list(containers)} if containers else POD["spec"]
    return {**POD, "metadata": {**POD["metadata"], "annotations": annotations}, "spec": spec}


def hardened(pod: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The pod with the answer's patch applied."""
    after: dict[str, Any] = jsonpatch.apply_patch(pod, patch(answer))
    return after


@dataclass(frozen=True, slots=True)
class NoSettings:
    """Settings of a control made for a test."""


def broken_config(on_error: OnError, mode: Mode = Mode.ENFORCE) -> Config:
    """The embedded configuration with one more control, which fails half-way."""

    def apply(*_: object) -> Iterator[Any]:
        raise BUG
        yield

    control = Control(apply, NoSettings, holds=(), name="broken")
    policy = replace(EMBEDDED.default, controls=(*EMBEDDED.default.controls, Enabled(control, NoSettings(), mode)))
    return replace(EMBEDDED, default=policy, on_error=on_error)


class BrokenExemptions:
    """Exemptions that fail, which breaks the engine outside of any control."""

    def find(self, _: object) -> Any:
        raise BUG


def failing_engine(on_error: OnError, base: Config = EMBEDDED) -> Config:
    """A configuration that breaks the engine itself."""
    return replace(base, default=replace(base.default, exempt=BrokenExemptions()), on_error=on_error)
