import re
from pathlib import Path

import pytest

from tests.cli.command_line import CRON_JOB, DEPLOYMENT, HARDENED_POD, SERVICE, hardener
from tests.cli.output.test_sarif import SIDES

COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^:,\r\n]*,?)+)::([^\r\n]*)")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def unescaped(text):
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def commands(out):
    """Each command as the runner reads it: its name, its properties and its message."""
    found = []
    for line in out.splitlines():
        name, properties, message = COMMAND.fullmatch(line).groups()
        pairs = (pair.split("=", 1) for pair in properties.split(","))
        found.append((name, {key: unescaped(value) for key, value in pairs}, unescaped(message)))
    return found


def annotate(text, *arguments, name="web.yaml"):
    Path(name).write_text(text)
    return commands(hardener("preview", name, "-o", "github", *arguments).out)


def test_a_container_is_one_warning_on_its_line_with_all_that_would_change():
    warnings = [command for command in annotate(DEPLOYMENT) if command[0] == "warning"]

    name, properties, message = warnings[0]
    assert (name, properties) == (
        "warning",
        {"file": "web.yaml", "line": "10", "title": "hardener: Deployment shop/web, app"},
    )
    lines = message.splitlines()
    assert "runAsNonRoot: would set securityContext.runAsNonRoot: the kubelet refuses to start it as root" in lines
    assert [properties["title"] for _, properties, _ in warnings[1:]] == ["hardener: Deployment shop/web, the pod"]


def test_what_is_held_back_is_a_notice_and_a_refused_opt_out_an_error():
    found = {(name, properties.get("line")): message for name, properties, message in annotate(SIDES)}

    assert found["error", "6"] == "opt-out seccomp(the pod) refused: did you mean seccompProfile?"
    assert "capabilities: held back: the container is privileged" in found["notice", "9"].splitlines()


def test_edits_of_a_dry_run_are_notices():
    Path("config.yaml").write_text("apiVersion: hardener.dev/v1\nkind: HardenerConfig\ndefault: observe\n")

    found = annotate(DEPLOYMENT, "--config", "config.yaml")

    assert {name for name, _, _ in found} == {"notice"}
    assert "runAsNonRoot: dry-run: would set securityContext.runAsNonRoot" in found[0][2]


def test_a_document_that_cannot_be_read_is_an_error_on_its_line():
    name, properties, message = annotate(f"{SERVICE}---\na: b: c\n")[0]

    assert (name, properties["file"], properties["line"]) == ("error", "web.yaml", "5")
    assert "mapping values are not allowed" in message


def test_the_last_line_counts_everything():
    *_, (name, properties, message) = annotate(f"{DEPLOYMENT}---\n{SERVICE}")

    assert (name, properties["title"]) == ("notice", "hardener preview")
    assert message == "1 object, 1 would change, 0 held back; 1 of other kinds"


def test_nothing_is_annotated_where_nothing_would_change():
    assert hardener("preview", "-", "-o", "github", stdin=HARDENED_POD).out == "1 object, 0 would change, 0 held back\n"


def test_no_more_is_annotated_than_github_shows_and_who_has_most_to_say_comes_first():
    small = HARDENED_POD.replace("  automountServiceAccountToken: false\n", "")
    many = "---\n".join([*[small] * 30, *[SIDES] * 12, DEPLOYMENT])

    found = annotate(many)
    names = [name for name, _, _ in found]

    assert names == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 10
    warnings = [len(message.splitlines()) for name, _, message in found if name == "warning"]
    assert warnings == sorted(warnings, reverse=True)
    assert min(warnings) > 1
    assert re.search(r"; \d+ more annotations are left out: `hardener preview` shows all$", found[-1][2])


def test_nothing_in_a_manifest_can_break_out_of_its_annotation():
    hostile = "x%0A::error::y\\n::add-mask::z,title=a::b\\r\\e[2J\\u202e"
    manifest = SIDES.replace("name: app", f'name: "{hostile}"').replace("name: sides", f'name: "{hostile}"')

    out = hardener("preview", "-", "-o", "github", stdin=manifest).out

    found = commands(out)
    assert {name for name, _, _ in found} == {"error", "warning", "notice"}
    assert all("%0A::error::y" in properties["title"] for _, properties, _ in found[:-1])
    assert all(line.isprintable() for line in out.splitlines())


def test_a_name_of_a_file_is_escaped():
    name = "a, b: 100%.yaml"

    assert annotate(DEPLOYMENT, name=name)[0][1]["file"] == name


def test_an_annotation_has_a_bounded_length():
    names = "".join(f"  - name: {'c' * 60}{number}\n    image: x\n" for number in range(300))
    manifest = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {'p' * 100_000}}}\nspec:\n  containers:\n{names}"

    out = hardener("preview", "-", "-o", "github", stdin=manifest).out

    assert len(commands(out)) == 11
    assert max(map(len, out.splitlines())) < 32_000


def test_a_stream_that_names_its_template_is_annotated_there_and_others_nowhere():
    stream = f"---\n# Source: shop/templates/web.yaml\n{DEPLOYMENT}---\n{CRON_JOB}"

    found = commands(hardener("preview", "-o", "github", stdin=stream).out)[:-1]

    places = {properties["title"].split(",")[0]: properties.get("file") for _, properties, _ in found}
    assert places == {
        "hardener: Deployment shop/web": "shop/templates/web.yaml",
        "hardener: CronJob default/nightly": None,
    }
    assert all("line" not in properties for _, properties, _ in found if "file" not in properties)


def test_files_are_seen_from_the_workspace(here, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(here))
    (here / "deploy").mkdir()
    monkeypatch.chdir(here / "deploy")

    assert annotate(DEPLOYMENT)[0][1]["file"] == "deploy/web.yaml"
