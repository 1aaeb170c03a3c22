/** A plain table of facts: headings once, rows replaced as wholes. For lists that are read, not worked with. */

import { el } from "../../dom.js";

/**
 * @param columns `[heading, class]`
 * @returns `fill(rows)` takes rows of cells: strings, elements or null.
 */
export function createTable(caption, columns) {
  const body = el("tbody", {});
  const element = el(
    "div",
    { class: "table-scroller", tabIndex: 0, role: "region", "aria-label": caption },
    el(
      "table",
      { class: "facts-table" },
      el("caption", { class: "visually-hidden" }, caption),
      el("thead", {}, el("tr", {}, ...columns.map(([label, kind]) => el("th", { scope: "col", class: kind }, label)))),
      body,
    ),
  );
  return {
    element,
    fill(rows) {
      body.replaceChildren(
        ...rows.map((cells) =>
          el("tr", {}, ...cells.map((cell, index) => el("td", { class: columns[index][1], "data-label": columns[index][0] }, cell ?? "–"))),
        ),
      );
    },
  };
}

/** A list of names and values; values that are null are left out. */
export function factList(facts) {
  const given = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el(
    "dl",
    { class: "facts" },
    ...given.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
  );
}
