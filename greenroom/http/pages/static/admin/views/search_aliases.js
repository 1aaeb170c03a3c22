/** What places are called besides their names: from the gazetteer, by operators, and learned from what people opened. */

import { ApiError, asSentence } from "../../api.js";
import { el, setText } from "../../dom.js";
import { field } from "../../views/field.js";
import { shortAccount, whenExactly } from "../words.js";
import { createTable } from "./table.js";

const STATES = [
  ["proposed", "to be decided"],
  ["active", "active"],
  ["revoked", "revoked"],
  ["", "all"],
];

const SOURCES = [
  ["", "from anywhere"],
  ["operator", "by operators"],
  ["learned", "learned"],
  ["gazetteer", "from the gazetteer"],
];

/** Without a keystroke, before the server is asked. */
const LOOK_UP_AFTER_MS = 250;

const HAS_A_LETTER = /[\p{L}\p{N}]/u;

/**
 * @param isPerson whether an account operates: regions are found for somebody, and a key is nobody.
 * @param chosen what was chosen here before; its `wanted` is kept in it.
 */
export function createSearchAliases({ api, announce, isPerson, chosen }) {
  /** What is asked for; a new object with every change, so that an answer to a former question is known by it. */
  let wanted = (chosen.wanted ??= { state: STATES[0][0], source: "", q: "" });
  let rows = [];
  let cursor = null;
  const chips = el(
    "div",
    { class: "chips", role: "group", "aria-label": "Which" },
    ...STATES.map(([name, label]) => el("button", { class: "chip", type: "button", on: { click: () => want({ state: name }) } }, label)),
  );
  const search = el("input", {
    class: "input small",
    type: "search",
    name: "alias-search",
    autocomplete: "off",
    dir: "auto",
    maxLength: 100,
    placeholder: "Look for a name or a place",
    "aria-label": "Look for a name or a place",
    on: { input: onSearch },
  });
  const sources = el(
    "select",
    { class: "input small", "aria-label": "Where from", on: { change: () => want({ source: sources.value }) } },
    ...SOURCES.map(([value, label]) => el("option", { value }, label)),
  );
  let searching = null;
  const table = createTable("Names of places", [["Name", "sentence"], ["Means", "code"], ["From", ""], ["State", ""], ["Weight", "figure"], ["Since", "at"], ["Decided", "prose"], ["", ""]]);
  const note = el("p", { class: "list-note", role: "status" }, "Reading …");
  const problem = el("p", { class: "form-problem", role: "alert" });
  const more = el("button", { class: "button small", type: "button", hidden: true, on: { click: () => read(cursor) } }, "Show more");
  const name = field("Name", { name: "alias-text", required: true, autocomplete: "off" });
  const region = field("Region", { name: "alias-region", required: true, autocomplete: "off", placeholder: "nyc/manhattan/east-village" });
  const regions = el("datalist", { id: "alias-regions" });
  if (isPerson) {
    region.input.setAttribute("list", regions.id);
    region.input.addEventListener("input", onRegion);
    name.input.addEventListener("change", () => void warn());
    setText(region.hint, "Write its name to choose from those there are.");
  }
  let lookingUp = null;
  const form = el(
    "form",
    { class: "config-form", noValidate: true, on: { submit: onSubmit } },
    name.element,
    region.element,
    regions,
    problem,
    el("div", { class: "config-buttons" }, el("button", { class: "button primary", type: "submit" }, "Add")),
  );

  function onRegion() {
    clearTimeout(lookingUp);
    const wanted = region.input.value.trim();
    // An id that was chosen, and no name to look for.
    if (wanted && !wanted.includes("/")) lookingUp = setTimeout(() => void offer(wanted), LOOK_UP_AFTER_MS);
  }

  async function offer(wanted) {
    const found = await regionsNamed(wanted);
    if (region.input.value.trim() !== wanted) return;
    regions.replaceChildren(...found.map((each) => el("option", { value: each.id }, [each.name, ...each.within].join(", "))));
  }

  /** An alias that is also a place's own name is never looked up: the name comes first. */
  async function warn() {
    const text = name.input.value.trim();
    const namesake = text && (await regionsNamed(text)).find((each) => each.name.toLowerCase() === text.toLowerCase());
    const others = text && !namesake ? await meaningsOf(text) : [];
    if (name.input.value.trim() !== text) return;
    setText(
      name.hint,
      namesake
        ? `${namesake.id} has that name itself, and names are found before aliases: this one would change nothing.`
        : others.length > 0
          ? `It means ${others.join(" and ")} already: with another meaning it may mean either, and who searches has to choose.`
          : "",
    );
  }

  /** The regions that a name is another name of by now. */
  async function meaningsOf(text) {
    try {
      const { items } = await api.aliases({ q: text, state: "active" });
      return items.filter((each) => each.text.toLowerCase() === text.toLowerCase()).map((each) => each.region_id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return []; // it can be added without
    }
  }

  async function regionsNamed(text) {
    try {
      return await api.regions(text);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return []; // it can be written without
    }
  }

  function onSearch() {
    clearTimeout(searching);
    searching = setTimeout(() => want({ q: search.value.trim() }), LOOK_UP_AFTER_MS);
  }

  async function read(from = null) {
    const asked = wanted;
    if (asked.q && !HAS_A_LETTER.test(asked.q)) {
      // As the server would say: it need not be asked, and the browser's console stays clean.
      rows = [];
      cursor = null;
      render();
      setText(note, "Must have a letter or a digit.");
      return;
    }
    more.disabled = true;
    try {
      const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value));
      const page = await api.aliases({ ...given, cursor: from });
      if (asked !== wanted) return;
      rows = [...(from ? rows : []), ...page.items];
      cursor = page.next_cursor;
      render();
    } catch (error) {
      if (asked !== wanted) return;
      rows = [];
      cursor = null;
      render();
      const fault = error.faults?.find((each) => each.field === "q");
      setText(note, fault ? asSentence(fault.words) : error.message);
    } finally {
      more.disabled = false;
    }
  }

  function render() {
    table.fill(rows.map(cells));
    table.element.hidden = rows.length === 0;
    more.hidden = cursor === null;
    const isNarrowed = wanted.q !== "" || wanted.source !== "";
    setText(note, rows.length > 0 ? "" : isNarrowed ? "None of them fits." : "There are none.");
  }

  function cells(alias) {
    const decided = alias.decided_by && `by ${shortName(alias.decided_by)}, ${whenExactly(alias.decided_at)}`;
    const actions = [alias.state !== "active" && button("Approve", "approve", alias), alias.state !== "revoked" && button("Revoke", "revoke", alias)];
    return [alias.text, alias.region_id, alias.source, stateWords(alias.state), alias.weight.toFixed(2), alias.source === "gazetteer" ? null : whenExactly(alias.created_at), decided, el("span", { class: "alias-actions" }, ...actions)];
  }

  function button(label, action, alias) {
    const each = el("button", { class: "button small", type: "button", "aria-label": `${label} ${alias.text}`, on: { click } }, label);

    async function click() {
      each.disabled = true;
      await decide({ text: alias.text, region_id: alias.region_id, action }, `${label}: done, ${alias.text}`);
      each.disabled = false;
    }

    return each;
  }

  async function decide(decision, words) {
    setText(problem, "");
    try {
      await api.decideAlias(decision);
      announce(words);
      await read();
      return true;
    } catch (error) {
      if (error.code === "region_not_found") {
        region.refuse(error.message);
        region.input.focus();
        return false;
      }
      const fields = { text: name, region_id: region };
      const told = (error.faults ?? []).filter((fault) => fields[fault.field]);
      for (const fault of told) fields[fault.field].refuse(fault.words);
      if (told.length === 0) setText(problem, error.message);
      return false;
    }
  }

  async function onSubmit(event) {
    event.preventDefault();
    if ([name.check(), region.check()].includes(false)) return;
    const text = name.input.value.trim();
    const wasDone = await decide({ text, region_id: region.input.value.trim(), action: "approve" }, `${text} was added`);
    if (!wasDone) return;
    name.input.value = region.input.value = "";
    setText(name.hint, "");
    // What was chosen stays as far as the new one is among it.
    search.value = "";
    if (sources.value !== "operator") sources.value = "";
    want({ state: wanted.state && "active", source: sources.value, q: "" });
  }

  function want(changes) {
    clearTimeout(searching);
    wanted = chosen.wanted = { ...wanted, q: search.value.trim(), ...changes };
    rows = [];
    showState();
    void read();
  }

  function showState() {
    [...chips.children].forEach((chip, index) => chip.setAttribute("aria-pressed", String(STATES[index][0] === wanted.state)));
  }

  table.element.hidden = true;
  search.value = wanted.q;
  sources.value = wanted.source;
  showState();
  void read();
  return {
    element: el(
      "section",
      { class: "panel", "aria-label": "Names of places" },
      el("h2", { class: "panel-title" }, "Names of places"),
      el("p", { class: "panel-words" }, "What people call a place besides its name. What is learned from what they open is looked up only once somebody approved it."),
      el("div", { class: "alias-filters", role: "search", "aria-label": "Names of places" }, search, sources, chips),
      table.element,
      note,
      more,
      el("h3", { class: "detail-title alias-new" }, "Add one"),
      form,
    ),
  };
}

/** Who decided: an account, or a key by the beginning of its digest. */
const shortName = (name) => (name.startsWith("user:") ? shortAccount(name) : name);

const stateWords = (state) => STATES.find(([name]) => name === state)?.[1] ?? state;
