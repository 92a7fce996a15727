"""Configurations for tests."""

from textwrap import dedent

import pytest

from hardener.errors import ConfigError
from hardener.policy.config import Config
from hardener.policy.policy import Policy
from hardener.policy.reading import parse_config

HEADER = "apiVersion: hardener.dev/v1\nkind: HardenerConfig\n"

EVERY_KEY = """
policies:
  production:
    extends: standard
    mode: enforce
    explicit: keep
    warnings: problems
    hostAgents: hold
    controls:
      runAsNonRoot: {}
      capabilities: {}
      allowPrivilegeEscalation: {}
      seccompProfile: {}
      readOnlyRootFilesystem: {writablePaths: [/tmp], sizeLimit: 1Gi}
      automountServiceAccountToken: {serviceAccounts: default}
      resources:
        mode: dry-run
        requests: {cpu: 50m, memory: 64Mi}
        limits: {memory: 1Gi}
    optOut:
      controls: all
      requireReason: false
      maxDays: null
  legacy: {extends: production, mode: dry-run, warnings: changes}
namespaces:
- names: [kube-system, "*-system"]
  policy: none
- matchLabels: {environment: production}
  policy: production
- names: ["team-*"]
  policy: legacy
default: observe
selectable: [observe, compatible, standard]
onError: allow
exempt:
  usernames: []
  groups: []
  runtimeClasses: []
  priorityClasses: [system-node-critical]
  containers:
  - {name: istio-proxy, image: "docker.io/istio/proxyv2:*"}
"""
"""The example of design.md 4, which shows every key."""


def read(body: str) -> Config:
    """Read a configuration without its header; its first line is line 3."""
    return parse_config(HEADER + dedent(body).lstrip("\n"), "config.yaml")


def mistakes(body: str) -> list[str]:
    """What is wrong with a configuration, without the name of the file."""
    with pytest.raises(ConfigError) as caught:
        read(body)
    return [str(problem).removeprefix("config.yaml:") for problem in caught.value.problems]


def policy(body: str) -> Policy:
    """Read one policy."""
    text = "policies:\n  ours:\n" + "".join(f"    {line}\n" for line in dedent(body).strip("\n").splitlines())
    return read(text).policies["ours"]
