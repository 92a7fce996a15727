"""Every pod of the corpus through engine, patch and the whole admission: nothing is refused, contradicted or overwritten."""

import pytest

from hardener.admission import Result, decode, encode, respond
from hardener.model import STANDALONE
from tests.admission.reviews import patch, response
from tests.admission_chain import admitted, review
from tests.corpus.configurations import POLICIES, configuration
from tests.corpus.manifests import files, holds_pod, objects, title
from tests.pod_schema import check_pod
from tests.pods import TODAY, run
from tests.promises import broken


@pytest.mark.parametrize("file", files(), ids=str)
def test_every_promise_holds_for_real_pods(file):
    for obj in objects(file):
        if not holds_pod(obj):
            continue
        pod = admitted(obj)
        check_pod(pod)
        body = review(pod)
        for policy in POLICIES:
            where = f"{title(file, obj)}, policy {policy}"
            config = configuration(policy)
            hardened = run(pod, config.default)
            answer = respond(decode(body), config, STANDALONE, TODAY)
            sent = response(encode(answer))

            assert broken(pod, hardened.after) == [], where
            assert answer.result is (Result.PATCHED if hardened.operations else Result.UNCHANGED), where
            assert sent["allowed"] is True, where
            assert patch(sent) == hardened.operations, where
