"""The corpus is data of others and no part of the repository; CI must have it, a developer may lack it."""

import os
from collections import Counter

import pytest

from tests.corpus.manifests import FOLDER, PARTS, files, holds_pod, objects


@pytest.fixture(autouse=True)
def _corpus():
    if not files():
        missing = (
            f"no manifest in {' or '.join(PARTS)} below {FOLDER}: set HARDENER_CORPUS to the folder that holds them"
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)


def test_all_but_a_few_known_objects_hold_a_pod():
    every = [obj for file in files() for obj in objects(file)]
    others = Counter(f"{obj['apiVersion']} {obj['kind']}" for obj in every if not holds_pod(obj))

    assert others == {
        "rbac.authorization.k8s.io/v1 ClusterRoleBinding": 3,
        "storage.k8s.io/v1 StorageClass": 1,
        "v1 ConfigMap": 1,
        # The API server has no such kind either.
        "v1 Deployment": 2,
        "v1 ServiceAccount": 2,
    }
    assert len(every) - others.total() == 1051
