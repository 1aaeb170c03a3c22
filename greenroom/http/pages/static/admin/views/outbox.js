/** What is to follow from what happened: how much of it, job by job, and one of them with its event. */

import { el, keyed, setText } from "../../dom.js";
import { duration, number, when } from "../words.js";
import { createJob, stateOf } from "./job.js";
import { createNewestFirst } from "./newest_first.js";

const EVERY_MS = 2_000;
const COUNTED_MAX = 10_000;
const COLUMNS = [["What", ""], ["State", ""], ["Tries", "figure"], ["Due", "at"], ["Written", "at"], ["Last error", "prose"]];

export function createOutbox({ api, announce }) {
  let shown = "";
  let selected = null;
  let detail = null;

  const chips = el("div", { class: "chips", role: "group", "aria-label": "By state" });
  const late = el("p", { class: "list-note" });
  const list = createNewestFirst({
    everyMs: EVERY_MS,
    caption: "Jobs",
    columns: COLUMNS,
    none: "There are no such jobs.",
    filter: "",
    key: (job) => job.id,
    ask: ({ filter, ...page }) => api.outbox({ ...page, state: filter }),
    createRow,
    onFirst: ({ figures }) => showFigures(figures),
  });
  const aside = el("aside", { class: "aside" });
  const element = el(
    "div",
    { class: "actors-page outbox-page" },
    el(
      "section",
      { class: "panel", "aria-label": "Outbox" },
      el("h2", { class: "panel-title" }, "Outbox"),
      el("p", { class: "panel-words" }, "Messages, reminders and mails that follow from bookings. Any worker does them; what failed too often is dead until somebody has it tried again."),
      chips,
      late,
      ...list.elements,
    ),
    aside,
  );

  function showFigures({ waiting, running, scheduled, dead, oldest_s: oldest }) {
    const counts = [
      ["", "all", null],
      ["pending", "pending", waiting + running + scheduled],
      ["running", "running", running],
      ["dead", "dead", dead],
      ["done", "done", null],
    ];
    keyed(chips, counts, {
      key: ([name]) => name,
      create: ([name, label]) => {
        const count = el("span", { class: "chip-count" });
        const chip = el("button", { class: "chip", type: "button", on: { click: () => choose(name) } }, label, " ", count);
        chip.count = count;
        return chip;
      },
      update: (chip, [name, , count]) => {
        chip.setAttribute("aria-pressed", String(name === shown));
        chip.classList.toggle("is-worrying", name === "dead" && count > 0);
        setText(chip.count, count === null ? "" : `${number(count)}${count >= COUNTED_MAX ? " or more" : ""}`);
      },
    });
    const left = `Pending: ${number(waiting)} waiting, ${number(running)} running, ${number(scheduled)} scheduled.`;
    setText(late, oldest > 0 ? `${left} The oldest was to be done ${duration(1000 * oldest)} ago.` : left);
  }

  function choose(name) {
    shown = name;
    for (const chip of chips.children) chip.setAttribute("aria-pressed", "false");
    list.choose(name);
  }

  function createRow({ id }, cells) {
    const name = el("button", { class: "actor-name", type: "button", title: id, on: { click: () => open(id) } });
    const badge = el("span", { class: "state" });
    const [what, state, tries, due, written, error] = cells;
    const type = el("span", { class: "actor-kind" });
    what.append(el("span", {}, name, type));
    state.append(badge);
    const row = el("tr", {}, ...cells);
    row.show = (job) => {
      row.classList.toggle("is-selected", job.id === selected);
      setText(name, job.handler.replaceAll("_", " "));
      setText(type, job.type);
      setText(badge, stateOf(job));
      badge.dataset.state = stateOf(job);
      setText(tries, number(job.attempts));
      setText(due, job.state === "pending" ? when(job.due_at) : "–");
      setText(written, when(job.created_at));
      setText(error, job.last_error ?? "–");
    };
    return row;
  }

  function open(id) {
    location.hash = `#/outbox/${encodeURIComponent(id)}`;
  }

  function close() {
    location.hash = "#/outbox";
  }

  /** @param path of the job that the address names; null for none. */
  function goTo(path) {
    const id = path === null ? null : path.slice(1);
    if (id === selected) return;
    const before = selected;
    detail?.close();
    selected = id;
    detail = id === null ? null : createJob({ api, id, announce, close, onChange: list.now });
    aside.replaceChildren(...(detail ? [detail.element] : []));
    element.classList.toggle("has-detail", detail !== null);
    detail?.focus();
    list.render();
    if (!detail) list.body.querySelector(`[title="${CSS.escape(before)}"]`)?.focus();
  }

  return {
    element,
    goTo,
    close() {
      list.close();
      detail?.close();
    },
  };
}
