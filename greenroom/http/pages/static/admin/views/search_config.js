/** How is searched: what operators may change while the server runs. */

import { el, setText } from "../../dom.js";
import { field } from "../../views/field.js";
import { whenExactly } from "../words.js";

/** Bounds are the server's to know: what it refuses is told beside the field. */
const FIELDS = [
  ["budget_ms", "Budget, ms", "Within which a search is answered."],
  ["high_load_budget_ms", "Budget under high load, ms", "Where the budget above is less, that one holds."],
  ["high_load_threshold", "High load", "Searches at the same time, from which on there is high load."],
  ["uncached_concurrency", "Searches beyond the cache", "At the same time in one worker, from which on they do without models."],
  ["max_retries", "Retries of a model call", "Within the budget only."],
  ["parsing_timeout_ms", "Timeout for reading a sentence, ms", ""],
  ["embedding_timeout_ms", "Timeout for an embedding, ms", ""],
  ["location_timeout_ms", "Timeout for a place, ms", ""],
  ["parsing_model", "Model that reads sentences", ""],
  ["location_model", "Model that is asked for places", ""],
];
const isText = (name) => name.endsWith("_model");

export function createSearchConfig({ api, announce }) {
  let config = null;
  const fields = new Map(
    FIELDS.map(([name, label, hint]) => {
      const each = field(label, { name, autocomplete: "off", ...(isText(name) ? {} : { inputMode: "numeric" }) });
      setText(each.hint, hint);
      return [name, each];
    }),
  );
  const revision = el("p", { class: "list-note" }, "Reading …");
  const problem = el("p", { class: "form-problem", role: "alert" });
  const save = el("button", { class: "button primary", type: "submit" }, "Change");
  const again = el("button", { class: "button small", type: "button", on: { click: () => void read() } }, "Read again");
  const form = el(
    "form",
    { class: "config-form", noValidate: true, hidden: true, on: { submit: onSubmit } },
    ...[...fields.values()].map((each) => each.element),
    problem,
    el("div", { class: "config-buttons" }, save),
  );

  async function read() {
    again.disabled = true;
    try {
      show(await api.searchConfig());
    } catch (error) {
      setText(revision, error.message);
    } finally {
      again.disabled = false;
    }
  }

  function show(found) {
    config = found;
    form.hidden = false;
    for (const [name, each] of fields) {
      each.input.value = String(found[name]);
      each.refuse(null);
    }
    setText(problem, "");
    const changed = found.changed_at ? `changed ${whenExactly(found.changed_at)}` : "as the server was started";
    setText(revision, `Revision ${found.revision}, ${changed}. Embedding model: ${found.embedding_model}.`);
  }

  async function onSubmit(event) {
    event.preventDefault();
    const changes = {};
    for (const [name, each] of fields) {
      const entered = each.input.value.trim();
      if (entered === String(config[name])) continue;
      // Emptied: back to what the server was started with.
      if (entered === "") changes[name] = null;
      else changes[name] = isText(name) || !/^-?\d+$/.test(entered) ? entered : Number(entered);
    }
    setText(problem, "");
    if (Object.keys(changes).length === 0) {
      setText(problem, "Nothing is changed.");
      return;
    }
    save.disabled = true;
    try {
      show(await api.changeSearchConfig({ ...changes, revision: config.revision }));
      announce("The configuration of the search was changed.");
    } catch (error) {
      explain(error);
    } finally {
      save.disabled = false;
    }
  }

  function explain(error) {
    const told = (error.faults ?? []).filter((fault) => fields.has(fault.field));
    for (const fault of told) fields.get(fault.field).refuse(fault.words);
    if (told.length > 0) form.querySelector("[aria-invalid=true]").focus();
    else setText(problem, error.status === 409 ? `${error.message} Read it again before you change it.` : error.message);
  }

  void read();
  return {
    element: el(
      "section",
      { class: "panel", "aria-label": "Configuration" },
      el("div", { class: "panel-head" }, el("h2", { class: "panel-title" }, "Configuration"), again),
      el("p", { class: "panel-words" }, "Changes hold on all workers within a second; who made them is in the audit. An emptied field goes back to what the server was started with."),
      revision,
      form,
    ),
  };
}
