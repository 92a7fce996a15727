import json
import os
import subprocess
import sys

import pytest

from hardener.cli.manifests.documents import read_documents
from hardener.controls import CATALOGUE
from tests.cli.command_line import CRON_JOB, DEPLOYMENT, HARDENED_POD, SERVICE, hardener
from tests.cli.failing import with_a_failing_control

STREAM = f"# Source: web.yaml\n{DEPLOYMENT}---\n{SERVICE}---\n{CRON_JOB}---\n{HARDENED_POD}"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "web.yaml"
    path.write_text(STREAM)
    return path


def test_without_write_it_shows_what_would_be_written(file):
    result = hardener("fix", file)

    assert (result.code, file.read_text()) == (1, STREAM)
    assert result.out == hardener("preview", file).out
    assert "+      automountServiceAccountToken: false\n" in result.out
    assert result.err == "1 file, 1 would be written\n"
    assert hardener("fix", "--diff", file) == result


def test_what_is_written_is_what_preview_prints_as_yaml(file):
    expected = hardener("preview", "-o", "yaml", file).out

    result = hardener("fix", "--write", file)

    assert (result.code, result.out, result.err) == (0, "", "1 file, 1 written\n")
    assert file.read_text() == expected
    assert hardener("preview", file).code == 0


def test_other_documents_stay_as_they_are(file):
    hardener("fix", "--write", file)

    text = file.read_text()
    assert text.startswith(f"# Source: web.yaml\n{DEPLOYMENT}")
    assert f"---\n{SERVICE}---\n" in text
    assert text.endswith(f"---\n{HARDENED_POD}")


def test_a_file_with_nothing_to_change_is_not_touched(tmp_path):
    file = tmp_path / "done.yaml"
    file.write_text(HARDENED_POD.replace("\n", "\r\n"))
    os.utime(file, (1, 1))
    inode = file.stat().st_ino

    result = hardener("fix", "--write", file)

    assert (result.code, result.err) == (0, "1 file, 0 written\n")
    assert (file.stat().st_mtime, file.stat().st_ino) == (1, inode)


def test_the_diff_has_the_lines_of_the_file_as_they_come_to_be(file):
    result = hardener("fix", file)

    hunks = [line.split()[1:3] for line in result.out.splitlines() if line.startswith("@@")]
    hardener("fix", "--write", file)
    new = file.read_text().splitlines()
    assert len(hunks) == 2
    (_, _), (old, after) = hunks
    assert STREAM.splitlines()[int(old[1:].split(",")[0]) - 1] == new[int(after[1:].split(",")[0]) - 1] != ""
    assert int(after[1:].split(",")[0]) > int(old[1:].split(",")[0])


def test_only_what_was_picked_is_changed(file):
    hardener("fix", "--write", "--control", "runAsNonRoot", "--control", "seccompProfile", file)

    left = {edit["control"] for entry in hardener("preview", "-o", "json", file).json for edit in entry["edits"]}
    assert left == set(CATALOGUE) - {"runAsNonRoot", "seccompProfile"}


def test_a_misspelt_control_names_the_nearest_one(file):
    result = hardener("fix", "--control", "runAsNonroot", file)

    assert result.code == 2
    assert "there is no control 'runAsNonroot': did you mean runAsNonRoot?" in result.err


def test_standard_input_is_written_to_standard_output():
    written = hardener("fix", "--write", "-", stdin=STREAM)

    assert written.code == 0
    assert written.out == hardener("preview", "-o", "yaml", "-", stdin=STREAM).out
    shown = hardener("fix", "-", stdin=STREAM)
    assert (shown.code, shown.out) == (1, hardener("preview", "-", stdin=STREAM).out)


@pytest.mark.parametrize("stream", [b"a: b: c\n", b"\xff\xfe", HARDENED_POD.encode(), b"{{ if x }}\n"])
def test_standard_input_that_is_not_changed_comes_out_as_it_came_in(stream):
    done = subprocess.run(
        [sys.executable, "-m", "hardener", "fix", "--write", "-"],
        input=stream,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.stdout == stream


def test_nothing_named_is_bad_usage():
    result = hardener("fix", "--write")

    assert result.code == 2
    assert "name files or folders, or - for standard input" in result.err


def test_what_a_policy_only_tries_is_written_too_without_annotations_of_ours(tmp_path, file):
    config = tmp_path / "config.hardener"
    config.write_text("apiVersion: hardener.dev/v1\nkind: HardenerConfig\ndefault: observe\n")

    result = hardener("fix", "--write", "--config", config, file)

    assert result.err == "1 file, 1 written\n"
    assert hardener("preview", "--config", config, file).code == 0
    assert "hardener.dev/" not in file.read_text()


def test_namespace_and_label_are_those_of_preview(file):
    file.write_text(CRON_JOB)

    assert hardener("fix", "-n", "kube-system", file).code == 0
    assert hardener("fix", "-n", "elsewhere", "--label", "a=b", file).code == 1


def test_templates_are_refused_by_name(tmp_path):
    chart = tmp_path / "chart"
    for folder in ("templates/deep", "crds"):
        (chart / folder).mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 1.0.0\n")
    quoted = DEPLOYMENT.replace("registry.example/web:1", '"{{ .Values.image }}"')
    for name, text in {
        "templates/a.yaml": f"{{{{- if .Values.web }}}}\n{DEPLOYMENT}{{{{- end }}}}\n",
        "templates/deep/b.yaml": quoted,
        "templates/plain.yaml": DEPLOYMENT,
        "crds/quoted.yaml": quoted,
    }.items():
        (chart / name).write_text(text)

    result = hardener("fix", "--write", chart / "templates", chart / "crds")

    hint = "is a template ({{): render it first, as in `helm template . | hardener preview`"
    assert result.problems == [f"{chart / 'templates' / name}: {hint}" for name in ("a.yaml", "deep/b.yaml")]
    assert result.code == 2
    assert result.err.endswith("4 files, 2 written; 2 could not be fixed, see above\n")
    assert (chart / "templates/deep/b.yaml").read_text() == quoted
    assert (chart / "crds/quoted.yaml").read_text() != quoted


def test_what_cannot_be_fixed_is_listed_at_the_end_and_the_rest_is_done(tmp_path):
    (tmp_path / "a.yaml").write_text(f"{DEPLOYMENT}---\na: b: c\n---\n{CRON_JOB}")
    entangled = "x: &x {image: x, securityContext: {runAsUser: 0}}\n" + CRON_JOB.replace(
        "containers: [{name: job, image: registry.example/job:1}]", "containers: [{<<: *x, name: job}]"
    )
    (tmp_path / "b.yaml").write_text(entangled)

    result = hardener("fix", "--write", tmp_path)

    assert result.code == 2
    assert [line.split(": ")[0] for line in result.problems] == [f"{tmp_path / 'a.yaml'}:13"]
    assert result.err.splitlines()[-1] == "2 files, 2 written; 1 could not be fixed, see above"
    left = hardener("preview", tmp_path)
    assert (left.code, left.out.count("@@")) == (2, 0)


def test_an_object_whose_text_cannot_be_edited_is_listed_and_the_others_are_written(tmp_path):
    odd = DEPLOYMENT + "        securityContext:\n          ? seccompProfile # x\n          :\n"
    file = tmp_path / "web.yaml"
    file.write_text(f"{odd}---\n{CRON_JOB}")

    shown = hardener("fix", file)
    preview = hardener("preview", file)
    written = hardener("fix", "--write", file)

    problem = f"{file}:1: cannot be edited where it stands: a key is written in an unusual way; "
    for result in (shown, written):
        assert result.code == 2
        assert [line[: len(problem)] for line in result.problems] == [problem]
        assert "Deployment" not in result.out
    assert file.read_text().startswith(f"{odd}---\n")
    assert "runAsNonRoot" in file.read_text()
    assert "  not the lines of the file: a key is written in an unusual way\n" in preview.out


def test_json_and_lists_are_written_as_they_are(tmp_path):
    file = tmp_path / "list.json"
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "a"}]}}
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod, pod]}, indent=4))

    assert hardener("fix", "--write", file).code == 0

    value = json.loads(file.read_text())
    assert json.dumps(value, indent=4) == file.read_text()
    assert [item["spec"]["automountServiceAccountToken"] for item in value["items"]] == [False, False]


def test_a_file_that_is_named_twice_is_written_once(file):
    result = hardener("fix", "--write", file, file)

    assert (result.code, result.err) == (0, "2 files, 1 written\n")
    assert len(list(read_documents(file.read_bytes(), ""))) == 4


def test_a_file_that_cannot_be_written_costs_only_itself(tmp_path, monkeypatch):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(DEPLOYMENT)
    access = os.access
    monkeypatch.setattr("os.access", lambda path, mode, **how: path.name != "a.yaml" and access(path, mode, **how))

    result = hardener("fix", "--write", tmp_path)

    assert (result.code, result.problems) == (2, [f"{tmp_path / 'a.yaml'}: cannot be written: is read-only"])
    assert (tmp_path / "a.yaml").read_text() == DEPLOYMENT
    assert (tmp_path / "b.yaml").read_text() != DEPLOYMENT


def test_an_internal_error_is_named_and_the_other_controls_are_written(file, monkeypatch):
    monkeypatch.setattr("hardener.cli.judging.embedded_config", with_a_failing_control)

    result = hardener("fix", "--write", file)

    assert result.code == 3
    assert any("internal error in capabilities" in line for line in result.problems)
    assert "runAsNonRoot: true" in file.read_text()


def test_colours_are_a_choice(file):
    assert "\x1b[" in hardener("fix", "--color", "always", file).out
    assert "\x1b[" not in hardener("fix", file).out
