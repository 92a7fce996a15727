"use strict";

// Everything is there without this script: it sorts tables, filters rows and opens details.

const collator = new Intl.Collator("en", { numeric: true });

function sortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  for (const [column, heading] of headings.entries()) {
    if (!heading.dataset.sort) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    heading.ariaSort = "none";
    button.addEventListener("click", () => {
      const first = heading.dataset.sort === "number" ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const order = heading.ariaSort === first ? second : first;
      for (const other of headings) if (other.ariaSort) other.ariaSort = "none";
      heading.ariaSort = order;
      sort(table.tBodies[0], column, heading.dataset.sort === "number", order === "ascending" ? 1 : -1);
    });
    table.classList.add("sortable");
  }
}

function sort(body, column, numeric, sign) {
  const value = (row) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    return numeric ? Number(text) : text;
  };
  const compare = numeric ? (a, b) => a - b : collator.compare;
  const rows = [...body.rows].map((row) => [value(row), row]);
  rows.sort((a, b) => sign * compare(a[0], b[0]));
  body.append(...rows.map(([, row]) => row));
}

const scopes = [...document.querySelectorAll("[data-scope]")];
const rows = [...document.querySelectorAll("[data-row]")];
let texts = null;

function names(element) {
  return [...element.querySelectorAll(".who")].map((each) => each.textContent).join(" ").toLowerCase();
}

// What a row is found by: the names in it, and that of the namespace whose details it is part of.
function searched() {
  texts ??= new Map(rows.map((row) => {
    const scope = row.closest("[data-scope]");
    return [row, names(row) + (scope ? " " + names(scope.firstElementChild) : "")];
  }));
  return texts;
}

function filter(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (text) => words.every((word) => text.includes(word));
  let shown = 0;
  for (const [row, text] of searched()) {
    row.hidden = !matches(text);
    if (!row.hidden) shown += 1;
  }
  for (const scope of scopes) {
    scope.hidden = !scope.querySelector("[data-row]:not([hidden])") && !matches(names(scope.firstElementChild));
  }
  document.getElementById("filtered").textContent = words.length ? `${shown} of ${rows.length} rows` : "";
}

function reveal() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  const details = target && target.closest("details");
  if (!details) return;
  details.open = true;
  details.scrollIntoView();
}

for (const table of document.querySelectorAll("table:has([data-sort])")) sortable(table);
document.querySelector(".tools").hidden = false;
document.getElementById("filter").addEventListener("input", (event) => filter(event.target.value));
document.getElementById("unfold").addEventListener("click", (event) => {
  const open = scopes.some((scope) => !scope.open);
  for (const scope of scopes) scope.open = open;
  event.target.textContent = open ? "Close all details" : "Open all details";
});
window.addEventListener("hashchange", reveal);
reveal();
