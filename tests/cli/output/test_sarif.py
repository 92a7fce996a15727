import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from hardener import __version__
from hardener.cli.output import rules as rules_module
from hardener.cli.output.sarif import FINGERPRINTS, RESULTS_LIMIT, Notification, Result, sarif_log
from hardener.controls import CATALOGUE
from tests.cli.command_line import CRON_JOB, DEPLOYMENT, HARDENED_POD, hardener
from tests.cli.output.sarif_schema import is_uri, mistakes

RESULT = Result("capabilities", "warning", "it would change", "web.yaml", 3, "shop/Deployment/web/app", "web/app")

SIDES = """\
apiVersion: v1
kind: Pod
metadata:
  name: sides
  annotations:
    hardener.dev/opt-out: seccomp
spec:
  containers:
  - name: app
    image: registry.example/app:1
    securityContext:
      privileged: true
  - name: other
    image: registry.example/other:1
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def log(*results, notifications=()):
    written = json.loads(sarif_log(results, notifications))
    assert mistakes(written) == []
    return written["runs"][0]


def preview(text, *arguments, name="web.yaml"):
    """The run that `-o sarif` writes of one file."""
    Path(name).write_text(text)
    result = hardener("preview", name, "-o", "sarif", *arguments)
    assert mistakes(result.json) == []
    return result.json["runs"][0]


def place(result):
    physical = result["locations"][0]["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical.get("region", {}).get("startLine")


def fingerprints(run):
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]


def test_every_control_is_a_rule_with_its_own_texts():
    rules = log()["tool"]["driver"]["rules"]

    assert [rule["id"] for rule in rules] == [*CATALOGUE, "optOut", "remark"]
    for rule, control in zip(rules, CATALOGUE.values(), strict=False):
        assert rule["shortDescription"]["text"] == control.summary
        assert rule["defaultConfiguration"]["level"] == "warning"
        for text in (control.why, control.changes, control.opt_out_when, f'hardener.dev/opt-out: "{control.name}"'):
            assert text in rule["help"]["text"]
            assert text in rule["help"]["markdown"]
        assert f"docs/controls.md#{control.name.lower()}" in rule["help"]["text"]


def test_a_rule_links_to_its_page_once_the_package_names_its_repository(monkeypatch):
    monkeypatch.setattr(rules_module, "information_uri", lambda: "https://git.example/hardener")

    rules = log()["tool"]["driver"]["rules"]

    links = [rule["helpUri"] for rule in rules if rule["id"] in CATALOGUE]
    assert links[0] == "https://git.example/hardener/blob/HEAD/docs/controls.md#allowprivilegeescalation"
    assert len(set(links)) == len(CATALOGUE)
    assert all(map(is_uri, links))


def test_the_rules_stay_within_what_github_takes():
    for rule in log()["tool"]["driver"]["rules"]:
        assert len(rule["name"]) <= 255
        assert max(len(rule[key]["text"]) for key in ("shortDescription", "fullDescription")) <= 1024


def test_a_result_points_to_its_rule():
    run = log(*(Result(name, "note", "x", None, 0, "a", "a") for name in (*CATALOGUE, "optOut", "remark")))

    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_an_edit_is_a_warning_on_the_line_of_its_container_or_of_the_fields_parent():
    run = preview(SIDES)
    edits = {
        (result["ruleId"], result["locations"][0]["logicalLocations"][0]["name"]): result
        for result in run["results"]
        if result["level"] == "warning"
    }

    assert edits["runAsNonRoot", "other"]["message"]["text"] == (
        "Pod default/sides: would set securityContext.runAsNonRoot on other: the kubelet refuses to start it as root"
    )
    assert place(edits["runAsNonRoot", "other"]) == ("web.yaml", 13)
    assert place(edits["seccompProfile", "app"]) == ("web.yaml", 11)
    assert place(edits["automountServiceAccountToken", "sides"]) == ("web.yaml", 7)


def test_each_edit_hold_and_refused_opt_out_is_a_result():
    (entry,) = hardener("preview", "-", "-o", "json", stdin=SIDES).json

    levels = [result["level"] for result in preview(SIDES)["results"]]

    assert levels == ["error"] + ["warning"] * len(entry["edits"]) + ["note"] * len(entry["skips"])


def test_what_is_held_back_is_a_note_and_a_refused_opt_out_an_error_at_its_annotation():
    run = preview(SIDES)
    (refused,) = (result for result in run["results"] if result["ruleId"] == "optOut")
    (held,) = (result for result in run["results"] if result["ruleId"] == "capabilities" and result["level"] == "note")

    assert refused["message"]["text"] == (
        "Pod default/sides: opt-out seccomp(the pod) refused: did you mean seccompProfile?"
    )
    assert (refused["level"], place(refused)) == ("error", ("web.yaml", 6))
    assert held["message"]["text"] == ("Pod default/sides: held back capabilities on app: the container is privileged")
    assert place(held) == ("web.yaml", 9)


def test_an_edit_of_a_dry_run_is_a_note(here):
    Path("config.yaml").write_text("apiVersion: hardener.dev/v1\nkind: HardenerConfig\ndefault: observe\n")

    run = preview(DEPLOYMENT, "--config", "config.yaml")

    assert {result["level"] for result in run["results"]} == {"note"}
    assert run["results"][0]["message"]["text"].startswith("Deployment shop/web: dry-run: would set ")


def test_what_an_accepted_opt_out_settles_is_no_result():
    manifest = SIDES.replace("opt-out: seccomp", 'opt-out: "*"')

    assert preview(manifest)["results"] == []


@pytest.mark.parametrize("annotation", ["hardener.dev/opt-out", "opt-out.hardener.dev/nobody"])
def test_an_opt_out_that_does_nothing_is_a_warning(annotation):
    manifest = DEPLOYMENT.replace(
        "  template:\n", f"  template:\n    metadata: {{annotations: {{{annotation}: resources}}}}\n"
    )
    manifest = manifest.replace("metadata:\n", f"metadata:\n  annotations: {{{annotation}: resources}}\n", 1)

    remarks = [result for result in preview(manifest)["results"] if result["ruleId"] == "remark"]

    assert {result["level"] for result in remarks} == {"warning"}
    assert "does nothing: move it to the pod template" in remarks[0]["message"]["text"]


def test_the_logical_location_names_namespace_kind_object_and_container():
    run = preview(DEPLOYMENT)
    names = {result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for result in run["results"]}

    assert names == {"shop/Deployment/web", "shop/Deployment/web/app"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("spec:\n  template:", "  labels:\n    app: web\nspec:\n  replicas: 3\n  template:"),
        ("apiVersion", "# a comment\n\napiVersion"),
        ("web:1", "web:2"),
    ],
)
def test_a_fingerprint_stays_when_lines_move_and_change(before, after):
    moved = DEPLOYMENT.replace(before, after, 1)
    assert moved != DEPLOYMENT

    assert fingerprints(preview(moved)) == fingerprints(preview(DEPLOYMENT))


def test_a_fingerprint_stays_when_another_container_comes_first():
    other = "      - name: first\n        image: registry.example/first:1\n"
    more = DEPLOYMENT.replace("      - name: app\n", f"{other}      - name: app\n")

    before, after = fingerprints(preview(DEPLOYMENT)), fingerprints(preview(more))

    assert set(before) < set(after)


def test_no_two_results_share_a_fingerprint():
    twins = DEPLOYMENT + "      - name: app\n        image: registry.example/twin:1\n"
    run = preview(f"{twins}---\n{twins}---\n{CRON_JOB}")

    found = fingerprints(run)

    assert len(found) == len(set(found)) > 20
    assert all(set(result["partialFingerprints"]) == set(FINGERPRINTS) for result in run["results"])


def test_the_same_object_in_another_file_has_other_fingerprints():
    assert not {*fingerprints(preview(DEPLOYMENT, name="one.yaml"))} & {
        *fingerprints(preview(DEPLOYMENT, name="two.yaml"))
    }


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("a b#c%20.yaml", "a%20b%23c%2520.yaml"),
        ("käse.yaml", "k%C3%A4se.yaml"),
        ("c:d.yaml", "c%3Ad.yaml"),
        ("./x/../y.yaml", "y.yaml"),
    ],
)
def test_a_file_is_a_relative_percent_encoded_uri(name, uri):
    run = log(Result("resources", "note", "x", name, 1, "a", "a"))
    artifact = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]

    assert artifact == {"uri": uri, "uriBaseId": "%SRCROOT%"}
    assert unquote(uri) in name


def test_a_file_name_that_is_no_utf_8_keeps_its_bytes():
    name = b"caf\xe9.yaml".decode(errors="surrogateescape")

    run = log(Result("resources", "note", "x", name, 1, "a", name))

    assert place(run["results"][0])[0] == "caf%E9.yaml"


def test_a_file_elsewhere_is_an_absolute_uri(tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")

    run = log(Result("resources", "note", "x", "../a.yaml", 1, "a", "a"))

    assert is_uri(place(run["results"][0])[0])


def test_files_are_seen_from_the_workspace_when_a_step_runs_in_a_folder_of_it(here, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(here))
    (here / "deploy").mkdir()
    monkeypatch.chdir(here / "deploy")

    run = log(RESULT)

    assert place(run["results"][0])[0] == "deploy/web.yaml"


def test_what_is_no_plain_text_cannot_become_a_link_or_a_placeholder():
    run = log(Result("resources", "note", "a [b](https://evil.example) {0}\n\x1b[31m\u202e", "x", 1, "a", "a"))

    text = run["results"][0]["message"]["text"]
    assert text.isprintable()
    assert "](" not in text
    assert "{{0}}" in text


def test_names_of_any_length_make_no_endless_message():
    run = preview(SIDES.replace("name: app", f"name: {'a' * 100_000}"))

    assert max(len(result["message"]["text"]) for result in run["results"]) <= 1_001


def test_the_worst_results_come_first():
    run = log(*(Result("resources", level, "x", None, 0, "a", level) for level in ("note", "error", "warning", "note")))

    assert [result["level"] for result in run["results"]] == ["error", "warning", "note", "note"]


def test_more_results_than_can_be_uploaded_are_counted():
    found = [Result("resources", "note", "x", None, 0, "a", str(number)) for number in range(RESULTS_LIMIT + 2)]

    run = json.loads(sarif_log([*found, RESULT]))["runs"][0]

    assert len(run["results"]) == RESULTS_LIMIT
    assert run["results"][0]["ruleId"] == RESULT.control
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith(f"3 of {RESULTS_LIMIT + 3} results are left out")
    assert run["invocations"][0]["executionSuccessful"] is True


def test_a_document_that_cannot_be_read_is_a_notification_with_its_line_and_costs_no_result():
    run = preview(f"{DEPLOYMENT}---\na: b: c\n")
    (invocation,) = run["invocations"]
    (notification,) = invocation["toolExecutionNotifications"]

    assert invocation["executionSuccessful"] is False
    assert place(notification) == ("web.yaml", 13)
    assert "mapping values are not allowed" in notification["message"]["text"]
    assert run["results"] != []


def test_a_run_without_trouble_was_successful():
    assert preview(HARDENED_POD)["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_a_warning_about_the_run_does_not_make_it_fail():
    run = log(notifications=[Notification("only a part was read", "warning")])

    assert run["invocations"][0]["executionSuccessful"] is True


def test_a_stream_that_names_its_templates_is_shown_in_their_first_line():
    stream = f"---\n# Source: shop/templates/my web.yaml\n{DEPLOYMENT}---\n{CRON_JOB}"

    results = hardener("preview", "-o", "sarif", stdin=stream).json["runs"][0]["results"]

    placed = {place(result) for result in results if "physicalLocation" in result["locations"][0]}
    assert placed == {("shop/templates/my%20web.yaml", 1)}
    nowhere = [result for result in results if "physicalLocation" not in result["locations"][0]]
    assert {result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for result in nowhere} == {
        "default/CronJob/nightly",
        "default/CronJob/nightly/job",
    }


def test_a_file_that_helm_rendered_has_its_own_lines():
    run = preview(f"---\n# Source: shop/templates/web.yaml\n{DEPLOYMENT}")

    assert {place(result) for result in run["results"]} == {("web.yaml", line) for line in (9, 10, 12)}


def test_json_has_lines_too():
    run = preview(
        '{"apiVersion": "v1",\n "kind": "Pod",\n "spec": {"containers": [\n  {"name": "app",\n   "image": "x"}]}}'
    )

    assert {place(result)[1] for result in run["results"]} == {1, 3, 4}


def test_an_item_of_a_list_has_the_line_that_it_has_in_the_file():
    items = "".join(
        f"- {line}" if number == 0 else f"  {line}" for number, line in enumerate(DEPLOYMENT.splitlines(True))
    )
    run = preview(f"apiVersion: v1\nkind: List\nitems:\n{items}")

    assert {place(result)[1] for result in run["results"]} == {10, 11, 13}


def test_the_tool_names_itself_and_its_version():
    driver = log()["tool"]["driver"]

    assert (driver["name"], driver["version"]) == ("hardener", __version__)


def test_the_same_findings_are_the_same_bytes():
    assert sarif_log([RESULT]) == sarif_log([RESULT])
    assert sarif_log([RESULT]).endswith(b"}\n")
