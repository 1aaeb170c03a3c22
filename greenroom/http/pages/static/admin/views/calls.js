/** What is being handled now, the longest first. */

import { el, setText } from "../../dom.js";
import { poll } from "../polling.js";
import { duration } from "../words.js";
import { createTable } from "./table.js";

export function createCalls({ api }) {
  const table = createTable("Calls in flight", [
    ["Actor", "code"],
    ["Message", ""],
    ["For", "figure"],
    ["Deadline in", "figure"],
    ["Waited for by", "code"],
    ["Trace", "code"],
  ]);
  const note = el("p", { class: "list-note" });
  const asking = poll(
    1_000,
    async () => {
      const { calls } = await api.calls();
      table.fill(
        calls.map(({ path, current }) => [
          path,
          `${current.message}${current.count > 1 ? ` ×${current.count}` : ""}`,
          duration(current.for_ms),
          current.deadline_left_ms === null ? "none" : duration(current.deadline_left_ms),
          current.callers.join(" → ") || "nobody",
          current.trace_id,
        ]),
      );
      table.element.hidden = calls.length === 0;
      setText(note, calls.length === 0 ? "No actor is handling a message at this moment." : "");
    },
    (error) => error && setText(note, error.message),
  );
  const element = el(
    "section",
    { class: "panel" },
    el("h2", { class: "panel-title" }, "Calls in flight"),
    el("p", { class: "panel-words" }, "Messages that are being handled now, the longest first, and who waits for them."),
    table.element,
    note,
  );
  return { element, close: asking.close };
}
