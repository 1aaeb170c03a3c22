/** What is to follow from what happened: how much of it, job by job, and one of them with its event. */

import { el, keyed, setText } from "../../dom.js";
import { poll } from "../polling.js";
import { duration, number, when } from "../words.js";
import { createJob, stateOf } from "./job.js";

const EVERY_MS = 2_000;
const PAGE = 50;
const COUNTED_MAX = 10_000;
const COLUMNS = [["What", ""], ["State", ""], ["Tries", "figure"], ["Due", "at"], ["Written", "at"], ["Last error", "prose"]];

export function createOutbox({ api, announce }) {
  let shown = "";
  let first = [];
  let older = [];
  let cursor = null;
  let selected = null;
  let detail = null;

  const chips = el("div", { class: "chips", role: "group", "aria-label": "By state" });
  const late = el("p", { class: "list-note" });
  const note = el("p", { class: "list-note" }, "Reading …");
  const body = el("tbody", {});
  const table = el(
    "div",
    { class: "table-scroller", tabIndex: 0, role: "region", "aria-label": "Jobs", hidden: true },
    el(
      "table",
      { class: "facts-table jobs-table" },
      el("caption", { class: "visually-hidden" }, "Jobs"),
      el("thead", {}, el("tr", {}, ...COLUMNS.map(([label, kind]) => el("th", { scope: "col", class: kind }, label)))),
      body,
    ),
  );
  const more = el("button", { class: "button small", type: "button", hidden: true, on: { click: readOlder } }, "Show earlier ones");
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
      table,
      note,
      more,
    ),
    aside,
  );
  const asking = poll(EVERY_MS, readFirst, (error) => error && setText(note, error.message));

  async function readFirst() {
    const asked = shown;
    const page = await api.outbox({ limit: PAGE, state: asked });
    if (asked !== shown) return asking.now();
    const known = new Set(first.map((job) => job.id));
    // With older ones on show, more news than a page holds would leave a gap between them: then they have to be asked for anew.
    if (older.length === 0 || !page.items.some((job) => known.has(job.id))) {
      older = [];
      cursor = page.next_cursor;
    } else {
      const news = new Set(page.items.map((job) => job.id));
      older = [...first.filter((job) => !news.has(job.id)), ...older];
    }
    first = page.items;
    showFigures(page.figures);
    render();
  }

  async function readOlder() {
    more.disabled = true;
    try {
      const page = await api.outbox({ limit: PAGE, state: shown, cursor });
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
    const jobs = [...first, ...older];
    table.hidden = jobs.length === 0;
    more.hidden = cursor === null;
    setText(note, jobs.length === 0 ? "There are no such jobs." : "");
    keyed(body, jobs, { key: (job) => job.id, create: createRow, update: (row, job) => row.show(job) });
  }

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
    const left = `${number(waiting)} waiting, ${number(running)} running, ${number(scheduled)} scheduled for later.`;
    setText(late, oldest > 0 ? `${left} The oldest was to be done ${duration(1000 * oldest)} ago.` : left);
  }

  function choose(name) {
    shown = name;
    first = older = [];
    for (const chip of chips.children) chip.setAttribute("aria-pressed", "false");
    asking.now();
  }

  function createRow({ id }) {
    const name = el("button", { class: "actor-name", type: "button", title: id, on: { click: () => open(id) } });
    const badge = el("span", { class: "state" });
    const cells = COLUMNS.map(([label, kind]) => el("td", { class: kind, "data-label": label }));
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
    detail = id === null ? null : createJob({ api, id, announce, close, onChange: () => asking.now() });
    aside.replaceChildren(...(detail ? [detail.element] : []));
    element.classList.toggle("has-detail", detail !== null);
    detail?.focus();
    render();
    if (!detail) body.querySelector(`[title="${CSS.escape(before)}"]`)?.focus();
  }

  return {
    element,
    goTo,
    close() {
      asking.close();
      detail?.close();
    },
  };
}
