import json

import jsonpatch
import pytest

from hardener.cli.manifests.documents import read_documents
from hardener.cli.manifests.kubernetes_yaml import read_yaml
from hardener.cli.output.formats import FORMATS
from hardener.controls import CATALOGUE
from tests.cli.command_line import CRON_JOB, DEPLOYMENT, HARDENED_POD, SERVICE, hardener
from tests.cli.failing import with_a_failing_control

STREAM = f"# Source: chart/templates/web.yaml\n{DEPLOYMENT}---\n{SERVICE}---\n{CRON_JOB}---\n{HARDENED_POD}"

DRY_RUN = """\
apiVersion: hardener.dev/v1
kind: HardenerConfig
policies:
  mixed:
    controls:
      resources: {mode: dry-run}
default: observe
namespaces:
- {names: [shop], policy: mixed}
- {names: [quiet], policy: none}
"""


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(DRY_RUN)
    return file


def values(text):
    return [document.value for document in read_documents(text.encode(), "") if document.value is not None]


@pytest.mark.parametrize(
    ("stdin", "code"),
    [(DEPLOYMENT, 1), (HARDENED_POD, 0), (SERVICE, 0), ("a: b: c", 2), ("", 2), (f"{DEPLOYMENT}---\nx: 1\n", 2)],
)
@pytest.mark.parametrize("output", FORMATS)
def test_the_exit_code_says_what_was_found_in_every_format(stdin, code, output):
    assert hardener("preview", "-", "-o", output, stdin=stdin).code == code


def test_standard_input_is_read_when_nothing_is_named():
    assert hardener("preview", "-o", "json", stdin=DEPLOYMENT).json[0]["name"] == "web"


def test_json_says_all_about_each_object():
    (entry,) = hardener("preview", "-", "-o", "json", stdin=DEPLOYMENT).json

    assert list(entry) == [
        "file",
        "source",
        "kind",
        "namespace",
        "name",
        "template",
        "policy",
        "edits",
        "skips",
        "optOuts",
        "exempt",
        "patch",
    ]
    assert [entry[key] for key in ("file", "source", "kind", "namespace", "name", "template", "policy")] == [
        "<stdin>",
        None,
        "Deployment",
        "shop",
        "web",
        "spec.template",
        "standard",
    ]
    assert entry["edits"][0] == {
        "control": "allowPrivilegeEscalation",
        "mode": "enforce",
        "container": "app",
        "op": "set",
        "path": "securityContext.allowPrivilegeEscalation",
        "value": False,
        "reason": "setuid binaries gain nothing",
    }
    assert entry["edits"][1]["container"] is None
    assert {edit["control"] for edit in entry["edits"]} == set(CATALOGUE)
    assert entry["skips"] == entry["optOuts"] == entry["exempt"] == []


def test_json_tells_holds_and_opt_outs():
    manifest = """\
apiVersion: v1
kind: Pod
metadata:
  generateName: job-
  annotations: {hardener.dev/opt-out: "resources, seccomp", opt-out.hardener.dev/app: capabilities}
spec:
  containers: [{name: app, image: x, securityContext: {runAsUser: 0}}]
"""

    (entry,) = hardener("preview", "-", "-o", "json", "-n", "team", stdin=manifest).json

    assert (entry["namespace"], entry["name"]) == ("team", "job-")
    assert {"control": "runAsNonRoot", "container": "app", "reason": "runAsUser is 0"} in entry["skips"]
    assert entry["optOuts"] == [
        {"control": "resources", "container": None, "accepted": True, "cause": "accepted", "endsSoon": False},
        {"control": "seccomp", "container": None, "accepted": False, "cause": "unknown-control", "endsSoon": False},
        {"control": "capabilities", "container": "app", "accepted": True, "cause": "accepted", "endsSoon": False},
    ]


def test_patch_is_one_array_a_line_for_each_object_with_a_pod():
    lines = hardener("preview", "-", "-o", "patch", stdin=STREAM).out.splitlines()

    assert len(lines) == 3
    assert json.loads(lines[0])[0]["path"].startswith("/spec/template/spec/containers/0/")
    assert json.loads(lines[1])[0]["path"].startswith("/spec/jobTemplate/spec/template/spec/containers/0/")
    assert lines[2] == "[]"


def test_yaml_is_what_the_patches_make_of_the_documents():
    patches = [json.loads(line) for line in hardener("preview", "-", "-o", "patch", stdin=STREAM).out.splitlines()]
    deployment, service, cron_job, pod = values(STREAM)

    hardened = values(hardener("preview", "-", "-o", "yaml", stdin=STREAM).out)

    assert hardened == [
        jsonpatch.apply_patch(deployment, patches[0]),
        service,
        jsonpatch.apply_patch(cron_job, patches[1]),
        jsonpatch.apply_patch(pod, patches[2]),
    ]


def test_a_second_preview_of_what_came_out_changes_nothing():
    hardened = hardener("preview", "-", "-o", "yaml", stdin=STREAM).out

    again = hardener("preview", "-", "-o", "yaml", stdin=hardened)

    assert again.code == 0
    assert again.out == hardened


def test_yaml_keeps_what_is_not_changed_byte_for_byte():
    out = hardener("preview", "-", "-o", "yaml", stdin=STREAM).out

    assert out.startswith("# Source: chart/templates/web.yaml\napiVersion: apps/v1\nkind: Deployment\n")
    assert f"---\n{SERVICE}---\n" in out
    assert out.endswith(f"---\n{HARDENED_POD}")


@pytest.mark.parametrize(
    "stream",
    [
        SERVICE.replace("\n", "\r\n"),
        HARDENED_POD.rstrip("\n"),
        json.dumps(read_yaml(SERVICE, "", 1), indent="\t"),
        f"\ufeff{SERVICE}",
        f"---\n\n# nothing\n---\n{SERVICE}\n...\n",
        "a: b: c\n",
    ],
)
def test_yaml_passes_on_what_it_does_not_change_or_cannot_read(stream):
    assert hardener("preview", "-", "-o", "yaml", stdin=stream).out == stream


def test_yaml_of_several_files_is_one_stream(tmp_path):
    texts = {"a.yaml": SERVICE.rstrip("\n"), "b.yaml": f"---\n{SERVICE}", "c.yaml": DEPLOYMENT}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)

    out = hardener("preview", tmp_path, "-o", "yaml").out

    assert [value["kind"] for value in values(out)] == ["Service", "Service", "Deployment"]


@pytest.mark.parametrize("marker", ["", "--- ", "---\n"])
def test_json_that_is_changed_stays_json(marker):
    stream = marker + json.dumps(read_yaml(DEPLOYMENT, "", 1))

    out = hardener("preview", "-", "-o", "yaml", stdin=stream).out

    assert out.startswith(marker.strip())
    assert json.loads(out.removeprefix("---"))["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_the_patch_of_an_item_applies_to_the_list_that_holds_it():
    stream = json.dumps(
        {
            "apiVersion": "v1",
            "kind": "List",
            "items": [read_yaml(text, "", 1) for text in (SERVICE, DEPLOYMENT, CRON_JOB)],
        }
    )

    patched = json.loads(stream)
    for entry in hardener("preview", "-", "-o", "json", stdin=stream).json:
        patched = jsonpatch.apply_patch(patched, entry["patch"])

    assert patched == json.loads(hardener("preview", "-", "-o", "yaml", stdin=stream).out)
    assert hardener("preview", "-", stdin=json.dumps(patched)).code == 0


@pytest.mark.parametrize(
    ("kind", "api_version", "template"),
    [
        ("Deployment", "apps/v1", ("spec", "template")),
        ("Deployment", "extensions/v1beta1", ("spec", "template")),
        ("StatefulSet", "apps/v1", ("spec", "template")),
        ("DaemonSet", "apps/v1", ("spec", "template")),
        ("ReplicaSet", "apps/v1", ("spec", "template")),
        ("ReplicationController", "v1", ("spec", "template")),
        ("Job", "batch/v1", ("spec", "template")),
        ("CronJob", "batch/v1", ("spec", "jobTemplate", "spec", "template")),
        ("PodTemplate", "v1", ("template",)),
        ("Pod", "v1", ()),
    ],
)
def test_every_kind_with_a_pod_is_judged_alike(kind, api_version, template):
    manifest = {"spec": {"containers": [{"name": "app", "image": "x"}]}}
    for key in reversed(template):
        manifest = {key: manifest}

    (entry,) = hardener(
        "preview", "-", "-o", "json", stdin=json.dumps({"apiVersion": api_version, "kind": kind, **manifest})
    ).json

    assert {edit["control"] for edit in entry["edits"]} == set(CATALOGUE)
    assert all(operation["path"].startswith("".join(f"/{key}" for key in template)) for operation in entry["patch"])


def test_an_object_that_names_no_namespace_is_judged_in_the_one_that_was_given():
    assert hardener("preview", "-", "-n", "kube-system", stdin=CRON_JOB).code == 0
    assert hardener("preview", "-", "-n", "kube-system", stdin=DEPLOYMENT).code == 1


def test_edits_of_a_dry_run_are_shown_and_counted_as_such(config):
    result = hardener("preview", "-", "--config", config, "-n", "elsewhere", stdin=f"{DEPLOYMENT}---\n{CRON_JOB}")

    assert result.code == 1
    assert "  # dry-run: resources (app): it names none" in result.out
    assert "  # runAsNonRoot (app): " in result.out
    assert "  # dry-run: runAsNonRoot (job): " in result.out
    assert result.err == "2 objects, 2 would change (1 in dry-run only), 0 held back\n"


def test_the_configuration_can_be_named_in_the_environment(config, monkeypatch):
    monkeypatch.setenv("HARDENER_PREVIEW_CONFIG", str(config))

    assert hardener("preview", "-", "-n", "quiet", stdin=CRON_JOB).code == 0


def test_the_mode_of_each_edit_is_in_the_json(config):
    (entry,) = hardener("preview", "-", "--config", config, "-o", "json", stdin=DEPLOYMENT).json

    assert {edit["mode"] for edit in entry["edits"] if edit["control"] == "resources"} == {"dry-run"}
    assert {edit["mode"] for edit in entry["edits"] if edit["control"] != "resources"} == {"enforce"}


def test_a_policy_that_does_nothing_changes_nothing(config):
    assert hardener("preview", "-", "--config", config, "-n", "quiet", stdin=CRON_JOB).code == 0


def test_a_mirror_pod_passes_as_at_the_webhook():
    mirror = "metadata: {name: etcd, annotations: {kubernetes.io/config.mirror: abc}}"

    assert (
        hardener("preview", "-", stdin=f"apiVersion: v1\nkind: Pod\n{mirror}\nspec: {{containers: [{{name: a}}]}}").code
        == 0
    )


def test_the_summary_counts_what_was_seen_and_stays_off_standard_output():
    result = hardener("preview", "-", "-o", "table", stdin=f"{STREAM}---\nbroken: [\n")

    assert (
        result.err.splitlines()[-1] == "3 objects, 2 would change, 0 held back; 1 of other kinds; 1 could not be read"
    )
    assert "would change" not in result.out


@pytest.mark.parametrize("output", sorted({*FORMATS} - {"diff", "table"}))
def test_formats_for_programs_say_nothing_on_the_side(output):
    assert hardener("preview", "-", "-o", output, stdin=STREAM).err == ""


def test_json_names_the_template_that_an_object_was_rendered_from():
    entries = hardener("preview", "-", "-o", "json", stdin=STREAM).json

    assert [(entry["file"], entry["source"]) for entry in entries] == [
        ("<stdin>", "chart/templates/web.yaml"),
        ("<stdin>", None),
        ("<stdin>", None),
    ]


def test_the_table_names_the_template_that_an_object_was_rendered_from():
    out = hardener("preview", "-", "-o", "table", stdin=STREAM).out

    assert out.count("chart/templates/web.yaml") == 1
    assert out.count("<stdin>") == 2


def test_the_table_has_a_row_for_each_object():
    out = hardener("preview", "-", "-o", "table", stdin=STREAM).out

    for text in ("Deployment shop/web", "CronJob default/nightly", "Pod default/done", "runAsNonRoot (job)"):
        assert text in out


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    securityContext:\n      privileged: maybe\n",
            "<stdin>:7: spec.containers[0].securityContext.privileged: Expected bool | null, got str",
        ),
        (
            "---\nkind: Deployment\napiVersion: apps/v1\nspec:\n  template: none\n",
            "<stdin>:5: spec.template: must be a mapping",
        ),
        (
            "kind: Deployment\napiVersion: apps/v1\nspec:\n  template:\n    spec:\n      containers: {}\n",
            "<stdin>:6: spec.template.spec.containers: Expected array | null, got object",
        ),
        (
            "kind: Deployment\napiVersion: apps/v1\nmetadata:\n  name: 12\n",
            "<stdin>:4: metadata.name: must be a text: put quotes around it",
        ),
        ("kind: Pod\napiVersion: v1\nmetadata: 12\n", "<stdin>:3: metadata: must be a mapping"),
        (
            "kind: Pod\napiVersion: v1\nmetadata:\n  annotations:\n    a/b: true\n",
            "<stdin>:4: metadata.annotations: Expected str | null, got bool",
        ),
        (
            '{"kind": "List", "apiVersion": "v1",\n "items": [{"kind": "Pod", "apiVersion": "v1",\n "spec": 1}]}',
            "<stdin>:3: items[0].spec: Expected object | null, got int",
        ),
    ],
)
def test_a_wrong_shape_is_named_by_line_and_path_and_the_rest_is_shown(manifest, expected):
    result = hardener("preview", "-", "-o", "json", stdin=f"{manifest}\n---\n{DEPLOYMENT}")

    assert result.code == 2
    assert result.problems == [expected]
    assert [entry["name"] for entry in result.json] == ["web"]


@pytest.mark.parametrize(
    "manifest", ["kind: Deployment\napiVersion: apps/v1\n", "kind: Pod\napiVersion: v1\nspec: null\n"]
)
def test_an_object_without_its_template_has_nothing_to_change(manifest):
    assert hardener("preview", "-", stdin=manifest).code == 0


def test_an_internal_error_names_the_control_and_the_others_are_still_shown(monkeypatch):
    monkeypatch.setattr("hardener.cli.judging.embedded_config", with_a_failing_control)

    result = hardener("preview", "-", stdin=f"{DEPLOYMENT}---\nx: 1\n")

    assert result.code == 3
    assert (
        "<stdin>: Deployment shop/web: internal error in capabilities: it was left out: KeyError('oops')"
        in result.problems
    )
    assert "  internal error in capabilities: it was left out\n" in result.out
    assert "  # runAsNonRoot (app): " in result.out


@pytest.mark.parametrize(
    ("arguments", "environment", "colored"),
    [
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {}, False),
        ([], {}, False),
        ([], {"HARDENER_PREVIEW_COLOR": "always"}, True),
    ],
)
@pytest.mark.parametrize("output", ["diff", "table"])
def test_colours_are_a_choice(arguments, environment, colored, output, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert ("\x1b[" in hardener("preview", "-", "-o", output, *arguments, stdin=DEPLOYMENT).out) is colored
