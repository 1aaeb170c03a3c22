/** A table of the newest of something, asked for again and again, with a button for what is older. */

import { el, keyed, setText } from "../../dom.js";
import { poll } from "../polling.js";

const PAGE = 50;

/**
 * @param columns `[heading, class]`
 * @param none what is said of an empty table.
 * @param key the id of an item.
 * @param ask given the filter chosen last, a limit and a cursor; returns a promise of `{items, next_cursor}`.
 * @param createRow given an item, and empty cells for it; returns a row with `show(item)`.
 * @param onFirst given every first page.
 */
export function createNewestFirst({ everyMs, caption, columns, none, filter, key, ask, createRow, onFirst = () => {} }) {
  let first = [];
  let older = [];
  let cursor = null;

  const note = el("p", { class: "list-note" }, "Reading …");
  const body = el("tbody", {});
  const table = el(
    "div",
    { class: "table-scroller", tabIndex: 0, role: "region", "aria-label": caption, hidden: true },
    el(
      "table",
      { class: "facts-table jobs-table" },
      el("caption", { class: "visually-hidden" }, caption),
      el("thead", {}, el("tr", {}, ...columns.map(([label, kind]) => el("th", { scope: "col", class: kind }, label)))),
      body,
    ),
  );
  const more = el("button", { class: "button small", type: "button", hidden: true, on: { click: readOlder } }, "Show earlier ones");
  const asking = poll(everyMs, readFirst, (error) => error && setText(note, error.message));

  async function readFirst() {
    const asked = filter;
    const page = await ask({ filter: asked, limit: PAGE });
    if (asked !== filter) return asking.now();
    const known = new Set(first.map(key));
    // With older ones on show, more news than a page holds would leave a gap between them: then they have to be asked for anew.
    if (older.length === 0 || !page.items.some((item) => known.has(key(item)))) {
      older = [];
      cursor = page.next_cursor;
    } else {
      const news = new Set(page.items.map(key));
      older = [...first.filter((item) => !news.has(key(item))), ...older];
    }
    first = page.items;
    onFirst(page);
    render();
  }

  async function readOlder() {
    const asked = filter;
    more.disabled = true;
    try {
      const page = await ask({ filter: asked, limit: PAGE, cursor });
      if (asked !== filter) return;
      older = [...older, ...page.items];
      cursor = page.next_cursor;
      render();
    } catch (error) {
      setText(note, error.message);
    } finally {
      more.disabled = false;
    }
  }

  function render() {
    const items = [...first, ...older];
    table.hidden = items.length === 0;
    more.hidden = cursor === null;
    setText(note, items.length === 0 ? none : "");
    keyed(body, items, { key, create: (item) => createRow(item, emptyCells()), update: (row, item) => row.show(item) });
  }

  const emptyCells = () => columns.map(([label, kind]) => el("td", { class: kind, "data-label": label }));

  return {
    elements: [table, note, more],
    body,
    render,
    /** Show those that another filter lets through, from the newest on. */
    choose(another) {
      filter = another;
      first = older = [];
      asking.now();
    },
    now: asking.now,
    close: asking.close,
  };
}
