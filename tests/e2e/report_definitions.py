"""The definitions of both kinds of policy reports, with all fields that their projects publish and that reports use.

Sources: kubernetes-sigs/wg-policy-prototypes, policy-report/pkg/api/wgpolicyk8s.io/v1alpha2; openreports/reports-api,
apis/openreports.io/v1alpha1. A field that is not here is dropped by the API server, and so is found missing.
"""

from tests.e2e.cluster import Json

TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "integer"}
RESULT: Json = {"type": "string", "enum": ["pass", "fail", "warn", "error", "skip"]}
SEVERITY: Json = {"type": "string", "enum": ["critical", "high", "low", "medium", "info"]}


def table(required=(), **properties: Json) -> Json:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def rows(item: Json) -> Json:
    return {"type": "array", "items": item}


REFERENCE = {
    **table(apiVersion=TEXT, fieldPath=TEXT, kind=TEXT, name=TEXT, namespace=TEXT, resourceVersion=TEXT, uid=TEXT),
    "x-kubernetes-map-type": "atomic",
}
SELECTOR = {
    **table(
        matchExpressions=rows(table(("key", "operator"), key=TEXT, operator=TEXT, values=rows(TEXT))),
        matchLabels={"type": "object", "additionalProperties": TEXT},
    ),
    "x-kubernetes-map-type": "atomic",
}
RESULTS = rows(
    table(
        ("policy",),
        category=TEXT,
        message=TEXT,
        policy=TEXT,
        properties={"type": "object", "additionalProperties": TEXT},
        resourceSelector=SELECTOR,
        resources=rows(REFERENCE),
        result=RESULT,
        rule=TEXT,
        scored={"type": "boolean"},
        severity=SEVERITY,
        source=TEXT,
        timestamp=table(
            ("nanos", "seconds"),
            nanos={**NUMBER, "format": "int32"},
            seconds={**NUMBER, "format": "int64"},
        ),
    )
)
REPORT = table(
    apiVersion=TEXT,
    kind=TEXT,
    metadata={"type": "object"},
    results=RESULTS,
    scope=REFERENCE,
    scopeSelector=SELECTOR,
    summary=table(**{"error": NUMBER, "fail": NUMBER, "pass": NUMBER, "skip": NUMBER, "warn": NUMBER}),
)
LIMITS = table(maxResults=NUMBER, statusFilter=rows(RESULT))


def definition(group: str, version: str, kind: str, plural: str, **more: Json) -> Json:
    schema = {**REPORT, "properties": {**REPORT["properties"], **more}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "scope": "Namespaced",
            "versions": [
                {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    }


DEFINITIONS = (
    definition("wgpolicyk8s.io", "v1alpha2", "PolicyReport", "policyreports"),
    definition(
        "openreports.io",
        "v1alpha1",
        "Report",
        "reports",
        source=TEXT,
        configuration=table(("limits",), limits=LIMITS),
    ),
)

ROLLOUTS: Json = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "rollouts.argoproj.io"},
    "spec": {
        "group": "argoproj.io",
        "names": {"kind": "Rollout", "listKind": "RolloutList", "plural": "rollouts", "singular": "rollout"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "subresources": {"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.n"}},
                "schema": {
                    "openAPIV3Schema": table(
                        spec={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        status={"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    )
                },
            }
        ],
    },
}
"""That of Argo Rollouts, as far as a pod template goes."""
