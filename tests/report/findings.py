"""Assessments for tests: pods and templates as texts, under a configuration that is a text too."""

from dataclasses import replace

import yaml

from hardener.model import STANDALONE
from hardener.policy.reading import parse_config
from hardener.report.assessment import Owner, assess_pod, assess_template
from hardener.report.collecting import Collecting
from tests.pods import TODAY, document

HEADER = "apiVersion: hardener.dev/v1\nkind: HardenerConfig\n"

BARE = "{spec: {containers: [{name: app, image: a}]}}"

SAFE = """
spec:
  automountServiceAccountToken: false
  securityContext: {runAsUser: 1000}
  containers:
  - name: app
    image: a
    resources: {requests: {cpu: 1, memory: 1Gi}, limits: {memory: 1Gi}}
    securityContext:
      allowPrivilegeEscalation: false
      capabilities: {drop: [ALL]}
      readOnlyRootFilesystem: true
      runAsNonRoot: true
      seccompProfile: {type: RuntimeDefault}
"""


def config(text="default: standard"):
    return parse_config(HEADER + text, "test.yaml")


def failing(whole, control):
    """The same configuration, in whose default policy a control fails."""

    def apply(*_):
        raise ValueError("no luck")

    controls = tuple(
        replace(each, control=replace(each.control, apply=apply)) if each.control.name == control else each
        for each in whole.default.controls
    )
    return replace(whole, default=replace(whole.default, controls=controls))


def assess(pod, given="default: standard", facts=STANDALONE):
    """The finding about a pod."""
    return assess_with(config(given), pod, facts)


def assess_with(whole, pod, facts=STANDALONE):
    return assess_pod(document(pod), Owner("Pod", "web"), "shop", whole, facts, TODAY)


def assess_deployment(pod, given="default: standard"):
    """The finding about a Deployment without pods, whose template the text is."""
    workload = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": yaml.safe_load(pod)}}
    return assess_template(
        workload, Owner("Deployment", "web"), ("spec", "template"), "shop", config(given), STANDALONE, TODAY
    )


def collecting(given="default: standard", facts=STANDALONE):
    return Collecting(config(given), lambda _namespace: facts, TODAY)
