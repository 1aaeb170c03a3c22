/** What could not be delivered: counts since the start by reason, and the last of them. */

import { el, setText } from "../../dom.js";
import { poll } from "../polling.js";
import { number, whenExactly } from "../words.js";
import { createTable } from "./table.js";

const MEANINGS = {
  no_such_actor: "nobody lived there",
  dead: "its actor was stopped",
  rejected: "mailbox full, refused",
  dropped: "mailbox full, the newest dropped",
  displaced: "mailbox full, the oldest dropped",
  expired: "its deadline passed in the mailbox",
  abandoned: "its asker had gone",
  restart: "dropped by a restart",
  restarting: "its actor would not be back in time",
  draining: "the server was draining",
  children: "too many actors below its supervisor",
};

export function createDeadLetters({ api }) {
  let reason = "";
  const table = createTable("Dead letters", [["At", "at"], ["Actor", "code"], ["Message", ""], ["Reason", ""], ["Trace", "code"]]);
  const chips = el("div", { class: "chips", role: "group", "aria-label": "By reason" });
  const note = el("p", { class: "list-note" });
  const asking = poll(
    2_000,
    async () => {
      const letters = await api.deadLetters({ limit: 100, reason });
      table.fill(
        letters.items.map((letter) => [whenExactly(letter.at), letter.path, letter.message, MEANINGS[letter.reason] ?? letter.reason, letter.trace_id]),
      );
      table.element.hidden = letters.items.length === 0;
      showChips(letters);
      setText(note, letters.items.length === 0 ? "Everything found its actor." : "");
    },
    (error) => error && setText(note, error.message),
  );

  function showChips({ total, counts }) {
    const focused = document.activeElement?.dataset?.reason;
    const shown = [["", "all", total], ...Object.entries(counts).filter(([, count]) => count > 0).map(([name, count]) => [name, name.replaceAll("_", " "), count])];
    chips.replaceChildren(
      ...shown.map(([name, label, count]) =>
        el(
          "button",
          { class: "chip", type: "button", "aria-pressed": String(name === reason), "data-reason": name, on: { click: () => choose(name) } },
          label,
          " ",
          el("span", { class: "chip-count" }, number(count)),
        ),
      ),
    );
    if (focused !== undefined) chips.querySelector(`[data-reason="${CSS.escape(focused)}"]`)?.focus();
  }

  function choose(name) {
    reason = name;
    asking.now();
  }

  const element = el(
    "section",
    { class: "panel" },
    el("h2", { class: "panel-title" }, "Dead letters"),
    el("p", { class: "panel-words" }, "Messages that could not be delivered: totals since the start, and the last hundred. Bodies are never kept."),
    chips,
    table.element,
    note,
  );
  return { element, close: asking.close };
}
