import html
import re

import pytest
from markdown_it import MarkdownIt

from hardener.cli.output.markdown import COMMENT_LENGTH, literal
from tests.cli.command_line import CRON_JOB, DEPLOYMENT, HARDENED_POD, SERVICE, hardener
from tests.cli.output.test_sarif import SIDES

HOSTILE = [
    "a|b",
    "a\\|b",
    "`code`",
    "``` fence",
    "<script>alert(1)</script>",
    "</code></summary><img src=x>",
    "[link](https://evil.example)",
    "![image](https://evil.example/x.png)",
    "https://evil.example www.evil.example evil@evil.example",
    "@everyone #1 GH-1",
    "**bold** _em_ ~~gone~~ $x$",
    "&lt;b&gt;",
    "- list",
    "\x1b[31mred\u202e",
    "a\nb\r\n# heading",
]


def comment(stdin, *arguments):
    return hardener("preview", "-", "-o", "markdown", *arguments, stdin=stdin).out


def parsed(text):
    # GitHub makes links of bare addresses too.
    return MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(text)


def kinds(text):
    inline = [child for token in parsed(text) for child in token.children or ()]
    return {token.type for token in (*parsed(text), *inline)}


def test_the_counts_come_first():
    assert comment(f"{DEPLOYMENT}---\n{SERVICE}").splitlines()[0] == (
        "**hardener preview:** 1 object, 1 would change, 0 held back; 1 of other kinds"
    )


def test_each_object_that_there_is_something_to_say_about_has_a_row():
    tokens = parsed(comment(f"{DEPLOYMENT}---\n{HARDENED_POD}---\n{SIDES}"))
    cells = [
        re.sub(r"<[^>]*>", " ", html.unescape(token.content))
        for before, token in zip([None, *tokens], tokens, strict=False)
        if before is not None and before.type == "td_open"
    ]

    assert len(cells) == 2 * 5
    assert ["Deployment shop/web" in cells[0], "Pod default/sides" in cells[5]] == [True, True]
    assert "runAsNonRoot (app)" in cells[2]
    assert "the container is privileged" in cells[8]
    assert "seccomp (the pod) (refused)" in cells[9]


def test_the_diff_of_an_object_is_folded_below_with_its_reasons():
    stream = f"{DEPLOYMENT}---\n{CRON_JOB}"
    out = comment(stream)
    fences = [token.content for token in parsed(out) if token.type == "fence" and token.info == "diff"]

    assert len(fences) == out.count("<details><summary>") == out.count("</details>") == 2
    assert "".join(fences) == hardener("preview", "-", stdin=stream).out


def test_nothing_but_the_counts_where_nothing_would_change():
    assert comment(HARDENED_POD) == "**hardener preview:** 1 object, 0 would change, 0 held back\n\n"


def test_what_cannot_be_read_is_listed():
    out = comment(f"{DEPLOYMENT}---\na: b: c\n")

    assert "Could not be read:\n\n- <code>" in out
    assert "mapping values are not allowed" in html.unescape(out)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_shown_as_it_is_whatever_it_holds(text):
    written = literal(text)
    (paragraph,) = (token for token in parsed(f"x {written} y") if token.type == "inline")
    shown = "".join(child.content for child in paragraph.children if child.type != "html_inline")

    assert "".join(char if char.isprintable() else " " for char in f"x {text} y") == shown
    assert [child.content for child in paragraph.children if child.type == "html_inline"] == ["<code>", "</code>"]
    assert not re.search(r"@|#\D|://|www\.", written)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_breaks_neither_table_nor_fold(text):
    quoted = '"' + "".join(f"\\u{ord(char):04x}" for char in text) + '"'
    manifest = SIDES.replace("name: sides", f"name: {quoted}").replace("name: app", f"name: {quoted}")

    out = comment(manifest)
    tokens = parsed(out)

    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type == "td_open"]
    assert (len(rows), len(cells)) == (2, 5)
    assert len([token for token in tokens if token.type == "fence"]) == 1
    assert not kinds(out) & {"link_open", "image", "heading_open", "em_open", "s_open", "bullet_list_open"}
    assert not re.search(r"<(?!/?(?:code|br|details|summary)>)", re.sub(r"(?s)```+diff.*?\n```+\n", "", out))


def test_a_fence_in_a_manifest_does_not_end_the_diff():
    manifest = DEPLOYMENT.replace(
        "metadata:\n",
        'metadata:\n  annotations:\n    a: "x"\n    note: |\n      ```\n      # not a heading\n      `````\n',
        1,
    ).replace(
        "image: registry.example/web:1",
        "image: x\n        command:\n        - |\n          `````\n          # no heading",
    )

    out = comment(manifest)

    assert len([token for token in parsed(out) if token.type == "fence"]) == 1
    assert "heading_open" not in kinds(out)


def test_a_comment_is_never_longer_than_github_takes_and_says_what_was_left_out():
    many = "---\n".join(DEPLOYMENT.replace("name: web", f"name: web-{number}") for number in range(400))

    out = comment(many)

    assert COMMENT_LENGTH - 2_000 < len(out) <= COMMENT_LENGTH
    rows, diffs = out.count("<br><code>&#60;stdin&#62;"), out.count("<details>")
    assert rows > 20
    assert diffs > 20
    assert out.splitlines()[-1] == (
        f"Left out, since a comment has room for 65,536 characters: {400 - rows} rows, {400 - diffs} diffs. "
        "`hardener preview` shows all."
    )
    assert out.count("<details>") == out.count("</details>")


def test_many_broken_documents_leave_room_for_the_rest():
    out = comment("---\n".join([*[f"{'x' * 200}: {'&|<' * 60}: y\n"] * 300, DEPLOYMENT]))

    assert len(out) <= COMMENT_LENGTH
    assert re.search(r"characters: \d+ problems\. ", out)
    assert "runAsNonRoot (app)" in out


def test_a_diff_that_finds_no_room_is_counted():
    huge = DEPLOYMENT + "".join(f"      - name: c{number}\n        image: x\n" for number in range(600))

    out = comment(huge)

    assert len(out) <= COMMENT_LENGTH
    assert "1 diffs" in out
