"""Every pod of the corpus through engine, patch and the whole admission: nothing is refused, contradicted or overwritten."""

import pytest

from hardener.admission import Result
from tests.admission_chain import admitted, passed
from tests.corpus.configurations import POLICIES, configuration
from tests.corpus.manifests import files, holds_pod, objects, title
from tests.pod_schema import check_pod
from tests.pods import overriding, run
from tests.promises import broken
from tests.provenance import stripped


@pytest.mark.parametrize("file", files(), ids=str)
def test_every_promise_holds_for_real_pods(file):
    for obj in objects(file):
        if not holds_pod(obj):
            continue
        pod = admitted(obj)
        check_pod(pod)
        for policy in POLICIES:
            where = f"{title(file, obj)}, policy {policy}"
            config = configuration(policy)
            hardened = run(pod, config.default)
            answer, after = passed(pod, config)

            assert broken(pod, after, overriding(config.default)) == [], where
            assert answer.result is (Result.PATCHED if hardened.operations else Result.UNCHANGED), where
            assert stripped(answer.operations) == hardened.operations, where
