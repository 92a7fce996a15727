"""Sets of values, each a way in which people install the chart."""

from tests.deploy.chart import Json

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

VALUE_SETS: dict[str, Json] = {
    "defaults": {},
    "with its namespace": {"namespace": {"create": True}},
    "enforced everywhere": {"defaultPolicy": "standard", "webhook": {"failurePolicy": "Fail"}, "replicas": 3},
    "first day": {"dryRun": True, "logging": {"level": "debug", "format": "console"}, "namespaceMetrics": True},
    "cert-manager": {"tls": {"source": "cert-manager"}},
    "cert-manager with an issuer": {
        "tls": {
            "source": "cert-manager",
            "secretName": "own-name",
            "certManager": {
                "issuerRef": {"kind": "ClusterIssuer", "name": "company"},
                "duration": "720h",
                "renewBefore": "240h",
            },
        }
    },
    "a certificate of one's own": {"tls": {"source": "secret", "secretName": "own", "caBundle": PEM, "clientCA": PEM}},
    "monitored": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "monitoring"}, "interval": "15s"},
        "prometheusRule": {"enabled": True, "labels": {"release": "monitoring"}},
        "dashboard": {"enabled": True, "annotations": {"folder": "security"}},
        "networkPolicy": {"metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]},
    },
    "scaled": {
        "autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 30},
        "podDisruptionBudget": {"enabled": False},
    },
    "scanned": {
        "scan": {
            "enabled": True,
            "schedule": "*/30 * * * *",
            "output": "json",
            "writeReports": True,
            "rules": [{"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["list"]}],
        },
    },
    "scanned in dry-run": {
        "dryRun": True,
        "scan": {"enabled": True},
        "networkPolicy": {"enabled": False},
        "imagePullSecrets": [{"name": "registry"}],
        "tolerations": [{"operator": "Exists"}],
    },
    "small": {
        "replicas": 1,
        "priorityClassName": "",
        "networkPolicy": {"enabled": False},
        "explain": {"enabled": False},
        "config": {"exempt": {"priorityClasses": []}},
    },
    "own policies": {
        "defaultPolicy": "company",
        "config": {
            "policies": {
                "company": {"mode": "dry-run", "controls": {"resources": {"requests": {"cpu": "10m"}}}},
                "lenient": {"extends": "company", "optOut": {"requireReason": False}},
                "bare": {"extends": "none"},
            },
            "selectable": ["company", "standard", "lenient"],
            "namespaces": [
                {"names": ["team-*"], "policy": "compatible"},
                {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["web"]}], "policy": "bare"},
            ],
            "exempt": {"containers": [{"name": "istio-proxy", "image": "docker.io/istio/proxyv2:*"}]},
            "templates": [{"group": "argoproj.io", "kind": "Rollout", "path": "spec.template"}],
            "onError": "deny",
        },
        "explain": {
            "resources": [{"apiGroups": ["argoproj.io"], "apiVersions": ["*"], "resources": ["rollouts"]}],
        },
    },
    "no reasons and no labels": {"config": {"requireReason": False, "selectable": []}},
    "labels without reasons": {"config": {"requireReason": False}},
    "a whole configuration": {
        "configFile": "apiVersion: hardener.dev/v1\nkind: HardenerConfig\ndefault: compatible\n",
    },
    "placed": {
        "image": {"repository": "registry.example/hardener", "digest": f"sha256:{'0' * 64}", "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "registry"}],
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {}},
        "podAnnotations": {"note": "1"},
        "podLabels": {"team": "platform"},
        "ports": {"webhook": 10250, "metrics": 9090},
        "shutdownDelaySeconds": 25,
        "serviceAccount": {"name": "webhooks", "annotations": {"note": "1"}},
        "fullnameOverride": "pods",
        "webhook": {
            "name": "zzz",
            "timeoutSeconds": 3,
            "excludedNamespaces": ["kube-system"],
            "namespaceSelector": {
                "matchLabels": {"hardened": "yes"},
                "matchExpressions": [{"key": "tier", "operator": "Exists"}],
            },
        },
    },
}
