import pytest

from hardener.cli.output.formats import FORMATS, SUMMARIES
from hardener.cli.output.markdown import COMMENT_LENGTH
from tests.cli.command_line import CRON_JOB, DEPLOYMENT, HARDENED_POD, SERVICE, hardener
from tests.cli.output.test_sarif import SIDES

OPTED_OUT = SIDES.replace("opt-out: seccomp", 'opt-out: "resources"\n    opt-out.hardener.dev/other: capabilities')

STREAM = "---\n".join([DEPLOYMENT, SERVICE, CRON_JOB, HARDENED_POD, SIDES, OPTED_OUT, "a: b: c\n"])


def summary(stdin, *arguments):
    return hardener("preview", "-", "--summary", *arguments, stdin=stdin)


def test_json_counts_objects_and_containers_by_control():
    found = summary(STREAM, "-o", "json").json
    controls = {each.pop("control"): each for each in found["controls"]}

    assert controls["runAsNonRoot"] == {
        "enforced": {"objects": 4, "containers": 4},
        "dryRun": {"objects": 0, "containers": 0},
        "heldBack": {"objects": 2, "containers": 2},
        "optedOut": {"objects": 0, "containers": 0},
    }
    assert controls["capabilities"]["optedOut"] == {"objects": 1, "containers": 1}
    assert controls["resources"]["optedOut"] == {"objects": 1, "containers": 2}
    assert controls["automountServiceAccountToken"]["enforced"] == {"objects": 4, "containers": 0}


def test_json_counts_by_namespace_and_policy():
    found = summary(STREAM, "-o", "json").json

    assert found["namespaces"] == [
        {
            "namespace": "default",
            "policy": "standard",
            "objects": 4,
            "wouldChange": 3,
            "dryRunOnly": 0,
            "heldBack": found["heldBack"],
            "optedOut": 2,
            "refused": 1,
            "exempt": 0,
        },
        {
            "namespace": "shop",
            "policy": "standard",
            "objects": 1,
            "wouldChange": 1,
            "dryRunOnly": 0,
            "heldBack": 0,
            "optedOut": 0,
            "refused": 0,
            "exempt": 0,
        },
    ]


def test_json_counts_in_all():
    found = summary(STREAM, "-o", "json").json

    assert {key: value for key, value in found.items() if isinstance(value, int)} == {
        "objects": 5,
        "otherKinds": 1,
        "wouldChange": 4,
        "dryRunOnly": 0,
        "heldBack": 8,
        "unreadable": 1,
        "errors": 0,
    }


def test_what_is_only_tried_is_counted_apart(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("apiVersion: hardener.dev/v1\nkind: HardenerConfig\ndefault: observe\n")

    found = summary(DEPLOYMENT, "-o", "json", "--config", config).json

    assert (found["wouldChange"], found["dryRunOnly"]) == (1, 1)
    assert {each["dryRun"]["objects"] for each in found["controls"]} == {1}
    assert {each["enforced"]["objects"] for each in found["controls"]} == {0}


def test_the_items_of_a_list_are_objects_of_their_own():
    items = '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "image": "x"}]}}'

    found = summary(f'{{"apiVersion": "v1", "kind": "List", "items": [{items}, {items}]}}', "-o", "json").json

    assert found["namespaces"][0]["objects"] == found["objects"] == 2


@pytest.mark.parametrize("output", ["diff", "table"])
def test_people_get_two_tables_and_the_counts_beside_them(output):
    result = summary(STREAM, "-o", output)
    lines = [" ".join(line.split()) for line in result.out.splitlines()]

    assert "capabilities 3 objects, 3 containers 2 objects, 2 containers 1 object, 1 container" in lines
    assert "shop standard 1 1" in lines
    assert result.err.splitlines()[-1].startswith("5 objects, 4 would change, 8 held back")


def test_markdown_has_the_same_tables():
    out = summary(STREAM, "-o", "markdown").out

    assert out.startswith("**hardener preview:** 5 objects, 4 would change, 8 held back")
    assert "| capabilities | 3 objects, 3 containers |  | 2 objects, 2 containers | 1 object, 1 container |" in out
    assert "| <code>shop</code> | <code>standard</code> | 1 | 1 |  |  |  |  |  |" in out


def test_a_comment_leaves_out_the_namespaces_that_find_no_room():
    many = "---\n".join(DEPLOYMENT.replace("shop", f"team-{number:05}") for number in range(1_500))

    out = summary(many, "-o", "markdown").out

    rows = out.count("<code>team-")
    assert len(out) <= COMMENT_LENGTH
    assert f"{1_500 - rows} namespaces. " in out.splitlines()[-1]


@pytest.mark.parametrize("output", sorted({*FORMATS} - {*SUMMARIES}))
def test_a_format_without_a_summary_says_which_have_one(output):
    result = summary(DEPLOYMENT, "-o", output)

    assert (result.code, result.out) == (2, "")
    assert f"-o {output} has no summary: --summary goes with diff, table, json, markdown" in result.err


def test_the_exit_code_is_that_of_the_preview():
    assert [summary(text).code for text in (DEPLOYMENT, HARDENED_POD, "a: b: c\n")] == [1, 0, 2]
