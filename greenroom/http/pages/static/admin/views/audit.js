/** What operators did, newest first. */

import { el, setText } from "../../dom.js";
import { whenExactly } from "../words.js";
import { createTable } from "./table.js";

const OUTCOMES = {
  begun: "begun, its end is not known",
  done: "done",
  refused: "refused",
  unfinished: "took longer than was waited for",
};

export function createAudit({ api }) {
  let rows = [];
  let cursor = null;
  const table = createTable("Audit", [["At", "at"], ["Operator", "code"], ["Action", ""], ["Actor", "code"], ["Reason", "prose"], ["Outcome", "prose"]]);
  const note = el("p", { class: "list-note" }, "Reading …");
  const more = el("button", { class: "button small", type: "button", hidden: true, on: { click: () => read(cursor) } }, "Show earlier ones");
  const again = el("button", { class: "button small", type: "button", on: { click: () => read(null) } }, "Refresh");

  async function read(from) {
    more.disabled = again.disabled = true;
    try {
      const page = await api.audit({ limit: 50, cursor: from });
      rows = [...(from ? rows : []), ...page.items];
      cursor = page.next_cursor;
      table.fill(rows.map(cells));
      table.element.hidden = rows.length === 0;
      more.hidden = cursor === null;
      setText(note, rows.length === 0 ? "Nobody has done anything to an actor yet." : "");
    } catch (error) {
      setText(note, error.message);
    } finally {
      more.disabled = again.disabled = false;
    }
  }

  function cells(entry) {
    const outcome = OUTCOMES[entry.outcome] ?? entry.outcome;
    return [
      whenExactly(entry.at),
      entry.operator_name
        ? el("span", { class: "operator-name", title: `user ${entry.operator_id}` }, entry.operator_name)
        : `${entry.operator_kind} ${entry.operator_id}`,
      entry.action,
      entry.path,
      entry.reason,
      el("span", { class: "outcome", "data-outcome": entry.outcome }, entry.detail ? `${outcome}: ${entry.detail}` : outcome),
    ];
  }

  table.element.hidden = true;
  read(null);
  return {
    element: el(
      "section",
      { class: "panel" },
      el("div", { class: "panel-head" }, el("h2", { class: "panel-title" }, "Audit"), again),
      el("p", { class: "panel-words" }, "Every action is written down before it is taken; what can’t be written down is not done."),
      table.element,
      note,
      more,
    ),
  };
}
