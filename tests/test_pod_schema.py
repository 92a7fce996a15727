"""The schema that the results of all other tests are held to."""

import pytest

from tests.pod_schema import PodSchemaError, check_pod
from tests.pods import complete, document

WRONG = {
    "misspelt": (
        {"containers": [{"name": "app", "securityContext": {"readOnlyRootFileSystem": True}}]},
        r"^\$\.spec\.containers\[0\]\.securityContext: .*'readOnlyRootFileSystem' was unexpected",
    ),
    "misplaced": (
        {"securityContext": {"allowPrivilegeEscalation": False}},
        r"^\$\.spec\.securityContext: .*'allowPrivilegeEscalation' was unexpected",
    ),
    "text for a boolean": ({"hostPID": "true"}, r"^\$\.spec\.hostPID: 'true' is not of type 'boolean'"),
    "number for a boolean": ({"hostPID": 1}, r"^\$\.spec\.hostPID: 1 is not of type 'boolean'"),
    "text for a number": ({"priority": "1"}, r"^\$\.spec\.priority: '1' is not of type 'integer'"),
    "fraction for a whole number": ({"priority": 1.0}, r"^\$\.spec\.priority: 1\.0 is not of type 'integer'"),
    "boolean for a number": ({"priority": True}, r"^\$\.spec\.priority: True is not of type 'integer'"),
    "number for a text": ({"nodeName": 7}, r"^\$\.spec\.nodeName: 7 is not of type 'string'"),
    "map for a list": ({"volumes": {}}, r"^\$\.spec\.volumes: \{\} is not of type 'array'"),
    "list for a map": ({"nodeSelector": []}, r"^\$\.spec\.nodeSelector: \[\] is not of type 'object'"),
    "list in a list": ({"containers": [[]]}, r"^\$\.spec\.containers\[0\]: \[\] is not of type 'object'"),
    "value of a map": ({"nodeSelector": {"a": 1}}, r"^\$\.spec\.nodeSelector\.a: 1 is not of type 'string'"),
    "boolean quantity": (
        {"containers": [{"resources": {"limits": {"cpu": True}}}]},
        r"limits\.cpu: True is not of type 'string', 'number'",
    ),
}


@pytest.mark.parametrize(("spec", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_field_is_found_and_named(spec, message):
    with pytest.raises(PodSchemaError, match=message):
        check_pod(complete({"spec": spec}))


def test_every_wrong_field_is_named():
    with pytest.raises(PodSchemaError) as caught:
        check_pod(complete({"spec": {"hostPID": 0, "nodeName": 1, "nope": 2}}))

    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("field", ["apiVersion", "kind", "metadata", "spec"])
def test_a_pod_has_all_its_parts(field):
    pod = complete({"spec": {}})
    del pod[field]

    with pytest.raises(PodSchemaError, match=f"'{field}' is a required property"):
        check_pod(pod)


def test_a_pod_as_the_api_server_sends_it_fits():
    pod = document("""
        metadata:
          creationTimestamp: null
          annotations: {a/b: c}
          managedFields:
          - {manager: kubectl, operation: Update, apiVersion: v1, time: "2026-11-22T07:00:00Z", fieldsV1: {"f:spec": {}}}
        spec:
          containers:
          - name: app
            resources: {requests: {cpu: 0.5, memory: 64Mi}, limits: {memory: 1}, claims: [{name: gpu}]}
            livenessProbe: {httpGet: {port: http}, timeoutSeconds: 1}
            readinessProbe: {httpGet: {port: 8080}}
            env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: k}}}]
          initContainers: null
          volumes:
          - {name: v, emptyDir: {sizeLimit: 1Gi}}
          - {name: t, projected: {sources: [{serviceAccountToken: {path: token, expirationSeconds: 3607}}]}}
          overhead: {cpu: 250m}
          hostUsers: false
        status: {}
    """)

    check_pod(pod)
    assert pod["spec"]["initContainers"] is None
