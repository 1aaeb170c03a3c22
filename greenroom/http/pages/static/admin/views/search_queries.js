/** What was searched for lately, and one of these searches in full. */

import { el, setText } from "../../dom.js";
import { closeIcon } from "../../icons.js";
import { KINDS, saysItself } from "../../search_words.js";
import { duration, inUtc, number, plural, shortAccount, whenExactly, whenInZone } from "../words.js";
import { createNewestFirst } from "./newest_first.js";
import { createDiagnosis } from "./search_diagnosis.js";
import { factList } from "./table.js";

const EVERY_MS = 3_000;
/** From here on a person notices. */
const SLOW_MS = 250;
const FILTERS = [
  ["all", {}],
  ["degraded", { degraded: true }],
  ["found nothing", { zero: true }],
  [`slower than ${SLOW_MS} ms`, { slow_ms: SLOW_MS }],
];
const COLUMNS = [["Sentence", "sentence"], ["Found", "figure"], ["Took", "figure"], ["Place", ""], ["By", "name"], ["Cache", ""], ["At", "at"]];

/** @param chosen what was chosen here before; its `filter` is kept in it. */
export function createSearchQueries({ api, chosen }) {
  chosen.filter ??= FILTERS[0];
  let selected = null;

  const chips = el(
    "div",
    { class: "chips", role: "group", "aria-label": "Which" },
    ...FILTERS.map((each) => el("button", { class: "chip", type: "button", on: { click: () => choose(each) } }, each[0])),
  );
  const list = createNewestFirst({
    everyMs: EVERY_MS,
    caption: "Searches",
    columns: COLUMNS,
    none: "There are no such searches.",
    filter: chosen.filter,
    key: (search) => search.query_id,
    ask: ({ filter: [, bounds], ...page }) => api.searches({ ...page, ...bounds }),
    createRow,
  });
  const aside = el("aside", { class: "aside" });
  const element = el(
    "div",
    { class: "actors-page outbox-page" },
    el(
      "section",
      { class: "panel", "aria-label": "Searches" },
      el("h2", { class: "panel-title" }, "Searches"),
      chips,
      ...list.elements,
    ),
    aside,
  );
  showFilter(chosen.filter);

  function choose(filter) {
    chosen.filter = filter;
    showFilter(filter);
    list.choose(filter);
  }

  function showFilter(filter) {
    [...chips.children].forEach((chip, index) => chip.setAttribute("aria-pressed", String(FILTERS[index] === filter)));
  }

  function createRow(search, cells) {
    const name = el("button", { class: "actor-name", type: "button", dir: "auto", "data-query": search.query_id, on: { click: () => open(search.query_id) } });
    const badge = el("span", { class: "state", "data-state": "dead", hidden: true }, "degraded");
    const gist = el("span", { class: "query-gist" });
    const person = el("span", {});
    const [sentence, found, took, place, by, cache, at] = cells;
    sentence.append(el("span", { class: "query-sentence" }, name, " ", badge), gist);
    by.append(person);
    const row = el("tr", {}, ...cells);
    row.show = (each) => {
      row.classList.toggle("is-selected", each.query_id === selected);
      setText(name, each.text);
      badge.hidden = !each.is_degraded;
      setText(gist, gistOf(each));
      setText(person, each.by?.display_name ?? shortAccount(each.user_id));
      person.title = each.user_id;
      setText(found, number(each.total));
      setText(took, duration(each.used_ms));
      setText(place, placeOf(each));
      setText(cache, each.cache);
      setText(at, whenExactly(each.at));
      at.title = inUtc(each.at);
    };
    return row;
  }

  function open(id) {
    location.hash = `#/search/queries/${encodeURIComponent(id)}`;
  }

  /** @param id of the search that the address names; null for none. */
  function goTo(id) {
    if (id === selected) return;
    const before = selected;
    selected = id;
    element.classList.toggle("has-detail", id !== null);
    aside.replaceChildren(...(id === null ? [] : [createQuery({ api, id })]));
    list.render();
    if (id === null) list.body.querySelector(`[data-query="${CSS.escape(before)}"]`)?.focus();
  }

  return { element, goTo, close: list.close };
}

/** The region a search was bound to, or the words that named none; and the regions that it left out. */
function placeOf({ region_id: region, place_text: text, place_outcome: outcome, excluded }) {
  const meant = region ?? (text && `“${text}”, ${outcome.replaceAll("_", " ")}`);
  const denied = excluded?.length ? `not ${excluded.join(", ")}` : null;
  return [meant, denied].filter(Boolean).join(", ") || "–";
}

/** What was understood, piece by piece; what of the sentence is not among it asked for nothing. */
function gistOf({ parts }) {
  if (!parts) return "";
  const told = parts.filter(({ kind }) => kind in KINDS);
  return told.map(({ kind, text }) => (saysItself(kind) || kind === "online" ? text : `${KINDS[kind].toLowerCase()} ${text}`)).join(" · ") || "nothing understood";
}

/** Who searched: by the name they have now, while there is such an account. */
const whoOf = ({ by, user_id: id }) => (by ? `${by.display_name}, ${by.role}${by.is_active ? "" : ", deactivated"}` : shortAccount(id));

/** One search, as it was. */
function createQuery({ api, id }) {
  const title = el("h2", { class: "panel-title detail-path", tabIndex: -1 }, id);
  const facts = el("div", {});
  const note = el("p", { class: "list-note" }, "Reading …");
  const diagnosis = createDiagnosis();
  diagnosis.element.hidden = true;
  const close = () => (location.hash = "#/search");
  const element = el(
    "section",
    { class: "panel detail", "aria-label": `Search ${id}`, on: { keydown: (event) => event.key === "Escape" && close() } },
    el(
      "header",
      { class: "detail-header" },
      title,
      el("button", { class: "icon-button", type: "button", "aria-label": "Close", on: { click: close } }, closeIcon()),
    ),
    facts,
    note,
    diagnosis.element,
  );

  async function read() {
    try {
      show(await api.searchById(id));
      title.focus();
    } catch (error) {
      setText(note, error.message);
    }
  }

  function show({ search, details, clicks }) {
    setText(title, search.text);
    facts.replaceChildren(
      factList([
        ["Query", id],
        ["By", whoOf(search)],
        ["Account", search.user_id],
        ["At", el("time", { dateTime: search.at, title: inUtc(search.at) }, whenInZone(search.at))],
        ["City", search.city],
        ["Shown", details && `${plural(details.shown.length, "lesson")}, from number ${details.position + 1} on`],
        ["Opened", clicks.map(({ position }) => `number ${position + 1}`).join(", ")],
      ]),
    );
    setText(note, details ? "" : "What it did in detail was dropped meanwhile.");
    diagnosis.element.hidden = !details;
    if (details) diagnosis.show({ ...details, cache: search.cache, total: search.total });
  }

  void read();
  return element;
}
