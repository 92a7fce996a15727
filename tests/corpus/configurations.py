"""The policies that the corpus goes through, each as the default of a configuration."""

from functools import cache

from hardener.policy.config import Config
from hardener.policy.reading import parse_config

POLICIES = ("standard", "compatible", "agents", "strict")
"""Two built-in ones, one that hardens host agents too, and one that does all that a policy can ask for."""

TEXT = """
apiVersion: hardener.dev/v1
kind: HardenerConfig
policies:
  agents: {hostAgents: harden}
  strict:
    hostAgents: harden
    explicit: override
    controls:
      readOnlyRootFilesystem: {writablePaths: [/tmp, /var/cache, /run], sizeLimit: 1Gi}
      automountServiceAccountToken: {serviceAccounts: all}
      resources: {requests: {ephemeral-storage: 100Mi}, limits: {ephemeral-storage: 1Gi}}
  governed:
    explicit: override
    controls:
      seccompProfile: {mode: dry-run}
      readOnlyRootFilesystem: {mode: dry-run}
    optOut: {controls: [capabilities, readOnlyRootFilesystem, resources], maxDays: 30}
    warnings: changes
default: """

EXEMPT = """
exempt:
  runtimeClasses: [sandboxed]
  containers:
  - {name: istio-proxy, image: "docker.io/istio/proxyv2:*"}
  - {name: nginx, image: "docker.io/library/nginx:*"}
"""


@cache
def configuration(policy: str) -> Config:
    """A configuration under which every namespace has this policy; what `governed` leaves alone is exempt."""
    return parse_config(TEXT + policy + (EXEMPT if policy == "governed" else ""), "corpus.yaml")
