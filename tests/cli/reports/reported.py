"""A small report to be shown: one namespace of each kind."""

from dataclasses import replace
from datetime import UTC, datetime

from hardener.controls import CATALOGUE
from hardener.report.report import Namespace, Report
from tests.report.findings import BARE, SAFE, assess, assess_deployment, config

REFUSED = """
metadata: {annotations: {hardener.dev/opt-out: "resources, capabilities", hardener.dev/opt-out-until: "2020-01-01"}}
spec: {containers: [{name: app, image: a, ports: [{containerPort: 80}]}, {name: agent, securityContext: {privileged: true}}]}
"""


def finding(pod, name="web", pods=1, kind="Deployment", given="default: standard"):
    examples = tuple(f"{name}-{number}" for number in range(min(pods, 3)))
    return replace(assess(pod, given), kind=kind, name=name, pods=pods, examples=examples)


def namespace(name, *findings, given="default: standard"):
    policy = config(given).default
    return Namespace(name, policy.label, policy.mode, findings)


def report(*namespaces, **fields):
    moment = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
    return replace(
        Report("https://cluster", moment, "1.0", tuple(CATALOGUE), namespaces, config="config.yaml"), **fields
    )


REPORT = report(
    namespace(
        "bare", finding(BARE, "web", 4), finding(REFUSED, "late", 2), replace(assess_deployment(BARE), name="idle")
    ),
    namespace("empty"),
    namespace("safe", finding(SAFE, "db", 3, "StatefulSet")),
    namespace("trial", finding(BARE, "web", 5, given="default: observe"), given="default: observe"),
    finished=2,
    mirrors=1,
    problems=("no right to list jobs.batch: pods of CronJobs stand under their Jobs",),
)
