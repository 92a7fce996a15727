"""How a pod stands to its policy, control by control, and to the Pod Security Standards."""

from dataclasses import replace

import pytest

from hardener.controls import CATALOGUE
from hardener.errors import MisfitError
from hardener.model import STANDALONE, UNKNOWN, Mode, OptOutCause
from hardener.pss import Level
from hardener.report.report import State
from tests.report.findings import BARE, SAFE, assess, assess_deployment, assess_with, config, failing

ALL = set(CATALOGUE)


def states(finding):
    return set(finding.controls.values())


def test_a_pod_that_lacks_what_is_enforced_is_unhardened():
    finding = assess(BARE)

    assert finding.state is State.UNHARDENED
    assert states(finding) == {State.UNHARDENED}
    assert {change.control for change in finding.changes} == ALL
    assert {change.mode for change in finding.changes} == {Mode.ENFORCE}


def test_what_a_policy_only_tries_would_change():
    finding = assess(BARE, "default: observe")

    assert finding.state is State.WOULD_CHANGE
    assert states(finding) == {State.WOULD_CHANGE}


def test_a_pod_that_has_everything_is_in_place():
    finding = assess(SAFE)

    assert finding.state is State.IN_PLACE
    assert states(finding) == {State.IN_PLACE}
    assert (finding.changes, finding.held, finding.opt_outs, finding.risks) == ((), (), (), ())


def test_what_a_policy_does_not_have_is_off():
    finding = assess(BARE, "default: compatible")

    assert {name for name, state in finding.controls.items() if state is State.OFF} == {
        "capabilities",
        "readOnlyRootFilesystem",
        "runAsNonRoot",
    }
    assert assess(BARE, "default: none").state is State.OFF


def test_the_template_of_a_workload_without_pods_is_not_unhardened_but_would_change():
    finding = assess_deployment(BARE)

    assert finding.state is State.WOULD_CHANGE
    assert states(finding) == {State.WOULD_CHANGE}
    assert (finding.kind, finding.name, finding.pods) == ("Deployment", "web", 0)


def test_a_control_that_holds_back_says_why():
    finding = assess("{spec: {containers: [{name: app, securityContext: {privileged: true}}]}}")

    assert finding.controls["capabilities"] is State.HELD
    assert ("capabilities", "app", "the container is privileged") in [
        (held.control, held.container, held.reason) for held in finding.held
    ]


@pytest.mark.parametrize(
    ("annotation", "state"),
    [
        ('hardener.dev/opt-out: "resources"', State.OPTED_OUT),
        ('opt-out.hardener.dev/app: "resources"', State.OPTED_OUT),
        ('opt-out.hardener.dev/other: "resources"', State.UNHARDENED),
        ('{hardener.dev/opt-out: "resources", hardener.dev/opt-out-until: "2020-01-01"}', State.UNHARDENED),
    ],
)
def test_an_opt_out_counts_or_it_does_not(annotation, state):
    metadata = annotation if annotation.startswith("{") else f"{{{annotation}}}"

    finding = assess(f"{{metadata: {{annotations: {metadata}}}, spec: {{containers: [{{name: app}}]}}}}")

    assert finding.controls["resources"] is state


def test_the_words_of_an_opt_out_tell_what_became_of_them():
    finding = assess(
        '{metadata: {annotations: {hardener.dev/opt-out: "resorces, resources", hardener.dev/opt-out-until: "2026-11-30"}}, '
        "spec: {containers: [{name: app}]}}"
    )

    assert [(word.control, word.cause, word.text, word.ends_soon) for word in finding.opt_outs] == [
        ("resorces", OptOutCause.UNKNOWN_CONTROL, "did you mean resources?", False),
        ("resources", OptOutCause.ACCEPTED, "accepted until 2026-11-30", True),
    ]


def test_an_exempt_pod_is_exempt_in_every_control_that_its_policy_has():
    finding = assess(
        "{spec: {priorityClassName: critical, containers: [{name: app}]}}",
        "default: compatible\nexempt: {priorityClasses: [critical]}",
    )

    assert finding.state is State.EXEMPT
    assert states(finding) == {State.EXEMPT, State.OFF}
    assert finding.exempt == ("the pod is exempt by exempt.priorityClasses[0]",)


def test_an_exempt_container_beside_one_that_has_everything_is_told():
    finding = assess(
        SAFE + "  - {name: proxy, image: mesh/proxy}\n",
        'exempt: {containers: [{name: proxy, image: "docker.io/mesh/proxy:*"}]}\ndefault: standard',
    )

    assert finding.state is State.EXEMPT
    assert finding.exempt == ("proxy is exempt by exempt.containers[0]",)


def test_levels_are_told_before_and_after():
    finding = assess(BARE)

    assert (finding.now, finding.hardened) == (Level.BASELINE, Level.RESTRICTED)
    assert finding.remaining == ()
    assert [text.partition(":")[0] for text in finding.violations] == [
        "allowPrivilegeEscalation",
        "capabilities_restricted",
        "runAsNonRoot",
        "seccompProfile_restricted",
    ]


def test_what_a_policy_only_tries_counts_for_the_level_after():
    assert assess(BARE, "default: observe").hardened is Level.RESTRICTED


def test_what_hardening_leaves_stays_between_the_pod_and_the_level():
    finding = assess("{spec: {hostNetwork: true, containers: [{name: app}]}}")

    assert (finding.now, finding.hardened) == (Level.PRIVILEGED, Level.PRIVILEGED)
    assert [text.partition(":")[0] for text in finding.remaining] == ["hostNamespaces"]


def test_the_token_that_the_api_server_has_put_in_is_what_the_pod_lacks():
    volume = "{name: kube-api-access-x, projected: {sources: [{serviceAccountToken: {path: token}}]}}"
    mount = "{name: kube-api-access-x, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}"
    finding = assess(f"{{spec: {{volumes: [{volume}], containers: [{{name: app, volumeMounts: [{mount}]}}]}}}}")

    assert finding.controls["automountServiceAccountToken"] is State.UNHARDENED


def test_facts_that_are_not_known_hold_back_what_needs_them():
    assert assess(BARE, facts=UNKNOWN).controls["resources"] is State.HELD
    assert (
        assess(BARE, facts=replace(STANDALONE, token_accounts=frozenset({"default"}))).controls[
            "automountServiceAccountToken"
        ]
        is State.HELD
    )


def test_a_control_that_fails_inside_is_told_and_the_others_stand():
    finding = assess_with(failing(config(), "capabilities"), BARE)

    assert finding.errors == ("internal error in capabilities: it was left out: ValueError('no luck')",)
    assert finding.controls["capabilities"] is State.HELD
    assert finding.state is State.UNHARDENED


def test_texts_of_a_pod_are_one_line_each():
    finding = assess('{spec: {containers: [{name: "a\\u001b[31mb\\n", securityContext: {privileged: true}}]}}')

    told = [
        *finding.violations,
        *(held.container for held in finding.held),
        *(each.container for each in finding.changes),
    ]
    assert told
    assert all(text.isprintable() for text in told)


def test_a_pod_of_another_shape_is_refused():
    with pytest.raises(MisfitError, match="containers"):
        assess("{spec: {containers: 7}}")
