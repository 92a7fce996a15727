from hardener.cli.pages.markdown import anchor, escaped, table
from tests.cli.pages.markdown_pages import Page


def test_a_bar_in_a_cell_does_not_end_it():
    page = Page("\n".join(table(("key", "meaning"), [("`a`", "b | c"), ("`d | e`", "")])))

    assert page.tables == [[["key", "meaning"], ["a", "b | c"], ["d | e", ""]]]
    assert page.bars == [{3}]


def test_the_anchor_of_a_heading_is_the_one_that_github_makes():
    assert anchor("The file") == "#the-file"
    assert anchor("policies.<name>.optOut") == "#policiesnameoptout"
    assert anchor("`namespaces[]`") == "#namespaces"


def test_a_text_shows_as_it_was_written_but_for_its_code():
    text = "globs * and <name>, [all] of `a * <b>`; not * emphasis*"

    assert Page(escaped(text)).blocks("yaml") == []
    assert Page(f"| x |\n|---|\n| {escaped(text)} |").tables[0][1] == [text.replace("`", "")]
