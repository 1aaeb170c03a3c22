/** The page of actors: the live tree, or those that stand out; what happened lately; one of them in detail. */

import { el, icon, keyed, setText } from "../../dom.js";
import { duration, number, percent, when } from "../words.js";
import { idleMs, kindsOf, nameOf, rowsOf } from "../tree.js";
import { poll } from "../polling.js";
import { createDetail } from "./detail.js";

const STATES = "starting running handling suspended restarting backoff stopping stopped passivated wedged".split(" ");
const SORTS = [
  ["depth", "deepest mailbox"],
  ["oldest", "oldest message"],
  ["busy", "busiest, last 10 s"],
  ["restarts", "most restarts"],
  ["failed", "most failures"],
  ["handled", "most handled"],
  ["idle", "longest idle"],
  ["bytes", "most bytes"],
];
const RANKED_MS = 2_000;

export function createActors({ api, announce, getState }) {
  const folds = new Map();
  const filter = { text: "", kind: "", state: "" };
  let sort = "";
  let ranked = [];
  let ranking = null;
  let selected = null;
  let problem = null;

  const search = el("input", {
    class: "input small",
    type: "search",
    placeholder: "Filter by path or key",
    "aria-label": "Filter by path or key",
    on: {
      input() {
        filter.text = search.value.trim();
        refresh();
      },
    },
  });
  const kinds = select("Kind", [["", "every kind"]], (value) => change("kind", value));
  const states = select("State", [["", "every state"], ...STATES.map((name) => [name, name])], (value) =>
    change("state", value),
  );
  const sorts = select("Order", [["", "as a tree"], ...SORTS], (value) => {
    sort = value;
    refresh();
  });
  const body = el("tbody", {});
  const empty = el("p", { class: "list-note", hidden: true });
  const table = el(
    "table",
    { class: "actors-table" },
    el("caption", { class: "visually-hidden" }, "Actors"),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...[
          ["Actor", ""],
          ["State", ""],
          ["Mailbox", "figure"],
          ["Busy", "figure wide"],
          ["Handled", "figure wide"],
          ["p99", "figure"],
          ["Restarts", "figure"],
          ["Now", "wide"],
        ].map(([label, kind]) => el("th", { scope: "col", class: kind }, label)),
      ),
    ),
    body,
  );
  const eventList = el("ol", { class: "events" });
  const eventsEmpty = el("p", { class: "list-note" }, "Nothing has happened since this page was opened.");
  const happened = el(
    "section",
    { class: "panel happened", "aria-label": "What happened" },
    el("h2", { class: "panel-title" }, "What happened"),
    eventsEmpty,
    eventList,
  );
  const aside = el("aside", { class: "aside" }, happened);
  const element = el(
    "div",
    { class: "actors-page" },
    el(
      "section",
      { class: "panel actors-panel", "aria-label": "Actors" },
      el("div", { class: "toolbar" }, search, sorts.element, kinds.element, states.element),
      el("div", { class: "table-scroller" }, table),
      empty,
    ),
    aside,
  );
  let detail = null;

  function change(name, value) {
    filter[name] = value;
    refresh();
  }

  function refresh() {
    const isRanked = sort !== "";
    if (isRanked && !ranking) {
      ranking = poll(RANKED_MS, askRanked, (error) => {
        problem = error;
        render();
      });
    } else if (isRanked) {
      ranking.now();
    } else {
      ranking?.close();
      ranking = null;
      problem = null;
    }
    render();
  }

  async function askRanked() {
    const asked = { sort, limit: 50, kind: filter.kind, state: filter.state, key_prefix: filter.text };
    const answer = await api.top(asked);
    ranked = answer.actors.map((node) => ({ ...node, seenAt: Date.now() }));
  }

  function render(state = getState()) {
    kinds.setOptions([["", "every kind"], ...kindsOf(state.nodes).map((kind) => [kind, kind])]);
    search.placeholder = sort ? "Filter by beginning of the key" : "Filter by path";
    const rows = sort
      ? ranked.map((node) => ({ node, level: 0, isParent: false }))
      : rowsOf(state.nodes, folds, filter);
    keyed(body, rows, {
      key: (row) => (row.rest ? `${row.node.path}/…` : row.node.path),
      create: (row) => (row.rest ? createRest() : createRow(row)),
      update: (node, row) => node.show(row),
    });
    const note = noteOn(state, rows);
    empty.hidden = note === "";
    setText(empty, note);
    showEvents(state.events);
  }

  function noteOn(state, rows) {
    if (problem) return problem.message;
    if (state.nodes.size === 0 && !sort) return "Waiting for the tree …";
    const isFiltered = filter.text || filter.kind || filter.state;
    if (!sort && isFiltered && [...state.nodes.values()].some((node) => node.collapsed))
      return "The tree holds the first 50 below each supervisor. Choose another order to look through all of them.";
    return rows.length === 0 ? "No actor fits." : "";
  }

  function createRow({ node: first }) {
    const fold = el("button", { class: "fold", type: "button" }, icon("M9 6l6 6-6 6"));
    // Of a worker, the root of its actors is what there is to see.
    const shownAs = first.is_worker ? `${first.path}/greenroom` : first.path;
    const name = el("button", { class: "actor-name", type: "button", on: { click: () => open(shownAs) } });
    const kind = el("span", { class: "actor-kind" });
    const badge = el("span", { class: "state" });
    const depth = el("span", {});
    const capacity = el("span", { class: "capacity" });
    const fill = el("span", { class: "bar-fill" });
    const busy = el("td", { class: "figure wide" });
    const handled = el("td", { class: "figure wide" });
    const slow = el("td", { class: "figure" });
    const restarts = el("td", { class: "figure" });
    const now = el("td", { class: "now wide" });
    const row = el(
      "tr",
      {},
      el("th", { scope: "row" }, el("span", { class: "actor-cell" }, fold, name, kind)),
      el("td", {}, badge),
      el("td", { class: "figure" }, el("span", { class: "depth" }, el("span", {}, depth, capacity), el("span", { class: "bar", "aria-hidden": "true" }, fill))),
      busy,
      handled,
      slow,
      restarts,
      now,
    );
    let shown = null;
    fold.addEventListener("click", () => {
      folds.set(shown.node.path, !shown.isUnfolded);
      render();
    });
    row.show = (next) => {
      shown = next;
      const { node, level, isParent, isUnfolded } = next;
      row.style.setProperty("--level", level);
      row.classList.toggle("is-selected", node.path === selected);
      row.classList.toggle("is-hindered", node.is_essential && node.hindrance !== null);
      fold.hidden = !isParent;
      fold.setAttribute("aria-expanded", String(Boolean(isUnfolded)));
      fold.setAttribute("aria-label", `${isUnfolded ? "Fold" : "Unfold"} ${node.path}`);
      setText(name, node.is_worker ? `worker ${nameOf(node.path)}` : nameOf(node.path));
      name.title = node.path;
      name.classList.toggle("is-key", node.key !== null);
      const about = node.is_worker ? aboutWorker(node) : node.strategy ? `${number(node.children_total)} · ${node.strategy.replaceAll("_", " ")}` : node.kind;
      setText(kind, node.is_worker || node.strategy || nameOf(node.path) !== node.kind ? about : "");
      setText(badge, node.state);
      badge.dataset.state = node.state;
      const box = node.mailbox;
      setText(depth, box ? number(box.depth) : "");
      setText(capacity, box ? ` / ${number(box.capacity)}` : "");
      fill.style.inlineSize = box ? `${Math.min(100, (100 * box.depth) / box.capacity)}%` : "0";
      fill.parentElement.hidden = !box;
      setText(busy, box ? percent(node.busy_share) : "");
      setText(handled, box ? number(node.handled) : "");
      setText(slow, box ? duration(node.latency_ms?.p99) : "");
      setText(restarts, node.is_worker ? "" : node.strategy ? `${node.intensity_used} of ${node.intensity_allowed}` : number(node.restarts));
      restarts.title = node.strategy ? "Restarts used of what its supervisor allows itself" : "";
      restarts.classList.toggle("is-notable", !node.strategy && node.restarts > 0);
      setText(now, whatNow(node));
    };
    return row;
  }

  function createRest() {
    const words = el("td", { colSpan: 8, class: "rest" });
    const row = el("tr", { class: "rest-row" }, words);
    row.show = ({ rest, level }) => {
      row.style.setProperty("--level", level);
      const worst = rest.kinds
        .map((each) => `${each.kind}: deepest mailbox ${number(each.mailbox_depth_max)}, most restarts ${number(each.restarts_max)}`)
        .join("; ");
      setText(words, `and ${number(rest.count)} more (${worst})`);
    };
    return row;
  }

  function showEvents(events) {
    eventsEmpty.hidden = events.length > 0;
    keyed(eventList, events.slice(0, 30), {
      key: (event) => `${event.at} ${event.name} ${event.path} ${event.missed}`,
      create: createEvent,
      update: () => {},
    });
  }

  function createEvent(event) {
    if (event.name === "lagged") return el("li", { class: "event" }, `${number(event.missed)} more were left out`);
    const what = event.name.replace(/^\w+\./, "").replaceAll("_", " ");
    return el(
      "li",
      { class: "event" },
      el("span", { class: "event-what", "data-event": event.name }, what),
      el("button", { class: "event-path", type: "button", title: event.path, on: { click: () => open(event.path) } }, event.path),
      el("span", { class: "event-at" }, when(event.at)),
      event.reason && el("span", { class: "event-reason" }, event.reason),
    );
  }

  /** The address names the actor that is shown, so that it can be passed on; the page follows the address. */
  function open(path) {
    location.hash = `#/actors${path.split("/").map(encodeURIComponent).join("/")}`;
  }

  function close() {
    location.hash = "#/actors";
  }

  /** @param path null for none. */
  function goTo(path) {
    if (path === selected) return;
    const before = selected;
    detail?.close();
    selected = path;
    detail = path === null ? null : createDetail({ api, path, announce, close });
    aside.replaceChildren(detail?.element ?? happened);
    element.classList.toggle("has-detail", detail !== null);
    detail?.focus();
    render();
    if (!detail) body.querySelector(`[title="${CSS.escape(before)}"]`)?.focus();
  }

  return {
    element,
    goTo,
    update: (state) => {
      render(state);
      detail?.update(state);
    },
    close() {
      ranking?.close();
      detail?.close();
    },
  };
}

function aboutWorker(node) {
  if (node.pid === null) return "";
  return `pid ${node.pid} · up ${duration(Math.max(0, Date.now() - Date.parse(node.started_at)))}`;
}

function whatNow(node) {
  if (node.current) {
    const batch = node.current.count > 1 ? ` ×${node.current.count}` : "";
    const activity = node.current.activity ? ` (${node.current.activity})` : "";
    return `${node.current.message}${batch}${activity} for ${duration(node.current.for_ms)}`;
  }
  if (node.backoff_left_ms > 0) return `starts in ${duration(node.backoff_left_ms)}`;
  if (!node.mailbox) return "";
  if (node.mailbox.depth > 0) return `oldest message ${duration(node.mailbox.oldest_ms)}`;
  return `idle ${duration(idleMs(node, Date.now()))}`;
}

function select(label, options, onChange) {
  const element = el("select", { class: "input small", "aria-label": label, on: { change: () => onChange(element.value) } });
  let shown = "";
  function setOptions(next) {
    const key = JSON.stringify(next);
    if (key === shown) return;
    shown = key;
    const { value } = element;
    element.replaceChildren(...next.map(([name, text]) => el("option", { value: name }, text)));
    element.value = next.some(([name]) => name === value) ? value : "";
  }
  setOptions(options);
  return { element, setOptions };
}
