"""A refused opt-out, as its author meets it: at the webhook over TLS, at `kubectl apply`, and in a preview."""

from datetime import UTC, datetime

import pytest
import yaml

from tests.admission.asking import HEADER, annotated, hardened
from tests.admission.opt_out_cases import NOBODY, OF_NOBODY, OPT_OUT, REFUSED, UNTIL, day
from tests.admission.reviews import POD, workload
from tests.cli.command_line import hardener


@pytest.fixture
def config(tmp_path):
    """Writes a configuration whose only policy has these rules for opt-outs."""
    file = tmp_path / "config.yaml"

    def write(rules):
        file.write_text(f"{HEADER}policies:\n  p: {{optOut: {{{rules}}}}}\ndefault: p\n")
        return file

    return write


def deployment(annotations):
    return workload({"metadata": {"annotations": annotations}, "spec": POD["spec"]})


def previewed(file, obj):
    """What preview says of an object, and its remarks."""
    result = hardener("preview", "-", "--config", file, stdin=yaml.safe_dump(obj))
    assert result.code == 1
    return result.out, [line.strip() for line in result.out.splitlines()]


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
async def test_it_hardens_the_pod_all_the_same_and_each_surface_says_which_and_why(serve, config, case):
    today = datetime.now(UTC).date()
    annotations, sentence = case.annotations_on(today), case.sentence_on(today)
    webhook = await serve(config=config(case.rules))
    pod = annotated(annotations)

    response = (await webhook.ask(pod=pod))["response"]
    explained = await webhook.explain(deployment(annotations))
    out, remarks = previewed(webhook.server.options.config, deployment(annotations))

    container = hardened(pod, response)["spec"]["containers"][0]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert response["warnings"] == [f"hardener: {sentence}"]
    assert sentence.removeprefix("opt-out ").replace(" refused", "") in response["auditAnnotations"]["opt-out"]
    assert explained["warnings"][0] == f"hardener: {sentence}"
    assert sentence in remarks
    assert "# capabilities (app): " in out
    (line,) = webhook.logged("reviewed")
    assert line["level"] == "warning"


async def test_one_that_counts_is_left_alone_on_every_surface(serve, config):
    annotations = {OPT_OUT: "capabilities", "hardener.dev/opt-out-reason": "starts as root"}
    webhook = await serve(config=config("controls: [capabilities], requireReason: true"))
    pod = annotated(annotations)

    response = (await webhook.ask(pod=pod))["response"]
    explained = await webhook.explain(deployment(annotations))
    out, remarks = previewed(webhook.server.options.config, deployment(annotations))

    assert "capabilities" not in hardened(pod, response)["spec"]["containers"][0]["securityContext"]
    assert "warnings" not in response
    assert not any("capabilities" in warning for warning in explained["warnings"])
    assert "opted out of capabilities on the pod" in remarks
    assert "# capabilities" not in out
    assert webhook.count("hardener_opt_outs_total", control="capabilities", cause="accepted") == 1


async def test_one_for_a_container_that_does_not_exist_is_named_where_nothing_can_come_any_more(serve, config):
    annotations = {OF_NOBODY: "capabilities"}
    webhook = await serve(config=config("controls: all"))

    response = (await webhook.ask(pod=annotated(annotations)))["response"]
    explained = await webhook.explain(deployment(annotations))
    _, remarks = previewed(webhook.server.options.config, deployment(annotations))

    assert "warnings" not in response
    assert explained["warnings"][0] == f"hardener: {NOBODY}"
    assert NOBODY in remarks


@pytest.mark.parametrize(("days", "named"), [(13, True), (16, False)])
async def test_one_that_ends_soon_is_named_beforehand_and_counted(serve, config, days, named):
    until = day(days, datetime.now(UTC).date())
    annotations = {OPT_OUT: "capabilities", UNTIL: until}
    sentence = f"the opt-out of capabilities on the pod ends on {until}: pods made later are hardened"
    webhook = await serve(config=config("maxDays: 30"))

    response = (await webhook.ask(pod=annotated(annotations)))["response"]
    explained = await webhook.explain(deployment(annotations))
    _, remarks = previewed(webhook.server.options.config, deployment(annotations))
    (entry,) = hardener(
        "preview",
        "-",
        "-o",
        "json",
        "--config",
        webhook.server.options.config,
        stdin=yaml.safe_dump(deployment(annotations)),
    ).json

    assert "warnings" not in response
    assert (f"hardener: {sentence}" in explained["warnings"]) is named
    assert (sentence in remarks) is named
    assert [opt_out["endsSoon"] for opt_out in entry["optOuts"]] == [named]
    assert webhook.count("hardener_opt_outs_ending_total", control="capabilities") == named
