"""The report's page as people use it."""

import pytest

from hardener.cli.reports.html import page
from tests.browser.conftest import PHONE
from tests.browser.made_up import cluster, large, made_of

WIDTHS = (360, 768, 1025, 1280)

CONTRAST = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = parse(color).slice(0, 3)
      .map((each) => each / 255)
      .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if ((parse(color)[3] ?? 1) === 1) return color;
    }
    throw new Error("nothing is behind the text");
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.closest("svg, script")) continue;
    const [text, back] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
    found.push([Math.round(ratio * 100) / 100, element.className, texts.currentNode.data.trim()]);
  }
  return found;
}"""

SORTS = """(heading) => {
  const cells = () => [...heading.closest("table").tBodies[0].rows].map((row) => row.cells[heading.cellIndex]);
  const values = () => cells().map((cell) => cell.dataset.value ?? cell.textContent.trim());
  return [0, 1].map(() => {
    const before = values();
    heading.querySelector("button").click();
    const orders = [...heading.parentElement.cells].map((each) => each.getAttribute("aria-sort"));
    const alphabetical = [...before].sort(new Intl.Collator("en", { numeric: true }).compare);
    return { before, after: values(), alphabetical, orders, order: heading.getAttribute("aria-sort") };
  });
}"""
"""Clicks a heading twice, and tells what stood in its column before and after each click."""

BACKGROUND = "getComputedStyle(document.body).backgroundColor"
SHOWN = "(elements) => elements.filter((each) => each.checkVisibility()).map((each) => each.textContent)"


@pytest.mark.parametrize("report", [cluster(), made_of()], ids=["a cluster", "hostile texts"])
def test_it_asks_the_network_for_nothing_and_gives_nothing_to_complain_of(visit, report):
    seen = visit(report)
    for heading in seen.page.query_selector_all("th button"):
        heading.click()
    seen.page.fill("#filter", "a")
    seen.page.click("#unfold")

    assert seen.requests == [seen.url]
    assert seen.complaints == []
    assert seen.page.title().startswith("Hardening of ")


def test_what_is_not_its_own_does_nothing_even_where_it_got_in(visit):
    # 127.0.0.1 has nothing on port 9: a request would fail, and be seen all the same.
    smuggled = """<script>document.title = "taken over"</script><style>body { background: red }</style>
        <p id="mark" style="color: red" onclick="document.title = 'taken over'">in</p>
        <img src="http://127.0.0.1:9/image"><link rel="stylesheet" href="http://127.0.0.1:9/style">
        <script src="http://127.0.0.1:9/script"></script><iframe src="http://127.0.0.1:9/frame"></iframe></main>"""
    untouched = visit(cluster()).page.evaluate(BACKGROUND)
    seen = visit(page(cluster()).replace("</main>", smuggled))
    seen.page.click("#mark")

    assert seen.page.title().startswith("Hardening of production-eu")
    assert seen.page.evaluate(BACKGROUND) == untouched
    assert seen.page.eval_on_selector("#mark", "(mark) => getComputedStyle(mark).color") != "rgb(255, 0, 0)"
    assert all("Content Security Policy" in complaint for complaint in seen.complaints)
    assert len(seen.complaints) == 8


def test_every_column_with_a_sortable_heading_sorts_both_ways(visit):
    seen = visit(cluster()).page
    headings = seen.query_selector_all("th[data-sort]")

    assert len(headings) > 35
    for heading in headings:
        numeric = heading.get_attribute("data-sort") == "number"
        first, second = heading.evaluate(SORTS)
        assert [first["order"], second["order"]] == (
            ["descending", "ascending"] if numeric else ["ascending", "descending"]
        )
        for sort in (first, second):
            ascending = sorted(sort["before"], key=int) if numeric else sort["alphabetical"]
            assert sort["after"] == (ascending if sort["order"] == "ascending" else ascending[::-1])
            assert [order for order in sort["orders"] if order not in {None, "none"}] == [sort["order"]]


def test_rows_and_not_only_cells_are_sorted(visit):
    seen = visit(cluster()).page
    table = seen.locator("section[aria-labelledby=unhardened] table")
    rows = "(rows) => rows.map((row) => [row.cells[0].querySelector('bdi').textContent, row.cells[2].textContent])"

    assert table.locator("tbody tr").evaluate_all(rows) == [["worker", "8"], ["assets", "4"], ["settlement", "1"]]
    table.get_by_role("button", name="Workload").click()
    assert table.locator("tbody tr").evaluate_all(rows) == [["assets", "4"], ["settlement", "1"], ["worker", "8"]]


def test_the_keyboard_sorts_and_opens_details(visit):
    seen = visit(cluster()).page
    seen.focus("section[aria-labelledby=namespaces] th:nth-child(3) button")
    seen.keyboard.press("Enter")
    seen.focus("details:nth-of-type(2) summary")
    seen.keyboard.press("Space")

    assert seen.get_attribute("section[aria-labelledby=namespaces] th:nth-child(3)", "aria-sort") == "descending"
    assert seen.locator("details[open] h3").all_text_contents() == ["checkout"]


def test_the_filter_leaves_the_rows_whose_names_hold_every_word(visit):
    seen = visit(cluster()).page
    seen.click("#unfold")
    everything = seen.locator("[data-row]").evaluate_all(SHOWN)
    seen.fill("#filter", "PAY sett")
    found = seen.locator("[data-row]").evaluate_all(SHOWN)

    # Once as unhardened, twice among the opt-outs, once in the details.
    assert len(found) == 4
    assert all("settlement" in row for row in found)
    assert seen.locator("details h3").evaluate_all(SHOWN) == ["payments"]
    assert seen.text_content("#filtered") == f"{len(found)} of {len(everything)} rows"
    seen.fill("#filter", "")
    assert seen.locator("[data-row]").evaluate_all(SHOWN) == everything
    assert seen.text_content("#filtered") == ""


def test_a_filter_that_nothing_meets_leaves_nothing(visit):
    seen = visit(cluster()).page
    seen.fill("#filter", "there is no such name")

    assert seen.locator("[data-row], details").evaluate_all(SHOWN) == []
    assert seen.text_content("#filtered").startswith("0 of ")


def test_a_link_to_a_namespace_opens_its_details(visit):
    seen = visit(cluster()).page
    seen.locator("section[aria-labelledby=namespaces]").get_by_role("link", name="payments").click()
    seen.wait_for_selector("details[open]")

    assert seen.locator("details[open] h3").all_text_contents() == ["payments"]
    assert seen.locator("details[open] summary").is_visible()


def test_all_details_open_and_close_together(visit):
    seen = visit(cluster()).page
    namespaces = len(cluster().namespaces)
    seen.click("#unfold")
    assert seen.locator("details[open]").count() == namespaces
    seen.click("#unfold")
    assert seen.locator("details[open]").count() == 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("report", [cluster(), made_of()], ids=["a cluster", "hostile texts"])
def test_nothing_is_wider_than_the_screen(visit, report, width):
    seen = visit(report, viewport={"width": width, "height": 740}).page
    seen.click("#unfold")

    assert seen.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(visit, scheme, viewport):
    seen = visit(cluster(), color_scheme=scheme, **({"viewport": viewport} if viewport else {})).page
    seen.click("#unfold")
    contrasts = seen.evaluate(CONTRAST)

    assert len(contrasts) > 500
    assert [each for each in contrasts if each[0] < 4.5] == []


def test_it_is_as_light_or_dark_as_the_reader_wishes(visit):
    light, dark = (visit(cluster(), color_scheme=scheme).page for scheme in ("light", "dark"))
    backgrounds = {"light": light.evaluate(BACKGROUND), "dark": dark.evaluate(BACKGROUND)}

    assert backgrounds["light"] != backgrounds["dark"]
    for seen, own in ((light, "light"), (dark, "dark")):
        for choice in ("light", "dark"):
            seen.check(f"#theme-{choice}")
            assert seen.evaluate(BACKGROUND) == backgrounds[choice]
        seen.check("#theme-auto")
        assert seen.evaluate(BACKGROUND) == backgrounds[own]


def test_everything_is_there_without_its_script(visit):
    with_script, without = visit(cluster()).page, visit(cluster(), java_script_enabled=False).page

    assert without.locator("tbody tr").count() == with_script.locator("tbody tr").count()
    assert without.locator("main").inner_text().startswith("After hardening, 9 of 13 namespaces")
    assert not without.locator(".tools").is_visible()
    without.check("#theme-dark")
    without.locator("summary").first.click()
    assert without.locator("details[open] td").first.is_visible()
    assert without.locator("th button").count() == 0


def test_print_is_light_and_has_no_buttons(visit):
    seen = visit(cluster(), color_scheme="dark").page
    seen.emulate_media(media="print")

    assert seen.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
    assert not seen.locator(".tools").is_visible()
    assert not seen.locator(".theme").is_visible()
    assert seen.pdf().startswith(b"%PDF")


def test_a_large_cluster_opens_and_is_filtered_while_one_types(visit):
    seen = visit(large()).page
    milliseconds = seen.evaluate(
        "() => { const from = performance.now(); document.getElementById('filter').value = 'team-321'; "
        "document.getElementById('filter').dispatchEvent(new Event('input')); return performance.now() - from; }"
    )

    assert seen.locator("details h3").evaluate_all(SHOWN) == ["team-321"]
    assert milliseconds < 1000
