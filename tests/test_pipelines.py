"""What other repositories run: the hooks for pre-commit, and the action for GitHub's pipelines."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pre_commit.clientlib import load_manifest

from tests.cli.command_line import DEPLOYMENT

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
HOOKS = {hook["id"]: hook for hook in load_manifest(ROOT / ".pre-commit-hooks.yaml")}


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "deploy" / "web app.yaml"
    path.parent.mkdir()
    path.write_text(DEPLOYMENT, "utf-8")
    return path


def run_hook(name, path):
    """As pre-commit does: the entry's words, then the files."""
    command = [*shlex.split(HOOKS[name]["entry"]), str(path)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)


def test_the_hook_for_previews_fails_with_the_diff_where_something_would_change(manifest):
    done = run_hook("hardener-preview", manifest)

    assert done.returncode == 1
    assert "runAsNonRoot: true" in done.stdout


def test_the_hook_for_fixes_writes_and_the_other_one_is_then_content(manifest):
    assert run_hook("hardener-fix", manifest).returncode == 0
    assert "runAsNonRoot: true" in manifest.read_text("utf-8")
    assert run_hook("hardener-preview", manifest).returncode == 0


def test_the_hooks_look_at_manifests_of_both_kinds():
    assert [name for name, hook in HOOKS.items() if set(hook["types_or"]) != {"yaml", "json"}] == []


def run_action(folder, **inputs):
    """Run the step `preview` as a runner does, with these inputs instead of the defaults; returns what it left."""
    (step,) = [step for step in ACTION["runs"]["steps"] if step.get("id") == "preview"]
    values = {name: about["default"] for name, about in ACTION["inputs"].items()} | inputs
    environment = {name: re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", text)[1] for name, text in step["env"].items()}
    script = folder / "step.sh"
    script.write_text(step["run"], "utf-8")
    left = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
        cwd=folder,
        env={
            **ENVIRONMENT,
            **{name: values[each] for name, each in environment.items()},
            **{name: str(path) for name, path in left.items()},
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done, left["GITHUB_OUTPUT"].read_text("utf-8"), left["GITHUB_STEP_SUMMARY"].read_text("utf-8")


def test_the_action_annotates_the_lines_of_a_pull_request_and_fails(manifest, tmp_path):
    done, output, summary = run_action(tmp_path, paths="\ndeploy\n\n")

    assert done.returncode == 1
    assert re.search(r"^::\w+ file=deploy/web app\.yaml,", done.stdout, re.MULTILINE)
    assert output == "changes=true\n"
    assert "runAsNonRoot" in summary


def test_the_action_can_only_tell_and_writes_sarif(manifest, tmp_path):
    done, output, _ = run_action(tmp_path, **{"fail-on-change": "false", "sarif-file": "out.sarif"})

    assert (done.returncode, output) == (0, "changes=true\n")
    assert yaml.safe_load((tmp_path / "out.sarif").read_text("utf-8"))["version"] == "2.1.0"


def test_the_action_is_content_where_nothing_would_change(manifest, tmp_path):
    (tmp_path / "none.yaml").write_text("{apiVersion: hardener.dev/v1, kind: HardenerConfig, default: none}", "utf-8")

    done, output, _ = run_action(tmp_path, paths="deploy", config="none.yaml")

    assert (done.returncode, output) == (0, "changes=false\n")


def test_the_action_always_fails_for_what_cannot_be_read(tmp_path):
    (tmp_path / "broken.yaml").write_text("a: [", "utf-8")

    done, output, _ = run_action(tmp_path, paths="broken.yaml", **{"fail-on-change": "false"})

    assert (done.returncode, output) == (2, "changes=false\n")


def test_names_that_look_like_options_or_commands_are_names(tmp_path):
    (tmp_path / "--config $(touch pwned).yaml").write_text(DEPLOYMENT, "utf-8")

    done, _, _ = run_action(tmp_path, paths="--config $(touch pwned).yaml")

    assert done.returncode == 1
    assert not (tmp_path / "pwned").exists()


def test_nothing_that_a_caller_writes_becomes_part_of_a_script():
    """Inputs travel in the environment: in a script they would be code."""
    assert [step["name"] for step in ACTION["runs"]["steps"] if "${{" in step["run"]] == []


def test_the_page_about_pipelines_names_hooks_and_inputs_that_there_are():
    page = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    hooks = [hook["id"] for block in blocks for repo in block.get("repos", ()) for hook in repo["hooks"]]
    inputs = [
        name
        for block in blocks
        for step in block.get("steps", ())
        if "hardener" in step["uses"]
        for name in step["with"]
    ]

    assert hooks == list(HOOKS)
    assert set(inputs) <= set(ACTION["inputs"])
