"""A control that fails on every pod, in place of one of the built-in configuration."""

from dataclasses import replace

from hardener.policy.config import Config
from hardener.policy.reading import embedded_config

FAILING = "capabilities"


def with_a_failing_control() -> Config:
    def broken(pod, containers, settings, facts):
        raise KeyError("oops")
        yield

    config = embedded_config()
    controls = tuple(
        replace(enabled, control=replace(enabled.control, apply=broken)) if enabled.control.name == FAILING else enabled
        for enabled in config.default.controls
    )
    return replace(config, default=replace(config.default, controls=controls))
