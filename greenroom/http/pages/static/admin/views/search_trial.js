/** Trying a search out: with parts left out, or as if there was a crowd; and how it went. */

import { ApiError } from "../../api.js";
import { el, setText } from "../../dom.js";
import { moneyOf } from "../../money.js";
import { number } from "../words.js";
import { createDiagnosis } from "./search_diagnosis.js";
import { createTable } from "./table.js";

const SKIPS = [
  ["tier4", "without tier 4"],
  ["tier5", "without tier 5"],
  ["embedding", "without an embedding"],
  ["vector", "without meaning"],
];
const RESULTS = 10;

/** @param isPerson whether an account operates: a search is somebody's, and a key is nobody. */
export function createSearchTrial({ api, isPerson }) {
  const sentence = el("input", { class: "input", id: "trial-sentence", type: "search", maxLength: 300, required: true, autocomplete: "off", dir: "auto" });
  const city = el("select", { class: "input small", "aria-label": "City" }, el("option", { value: "" }, "any city"));
  const boxes = [...SKIPS, ["load", "as under high load"]].map(([name, label]) => {
    const box = el("input", { type: "checkbox", name });
    return [name, box, el("label", { class: "chip trial-choice" }, box, label)];
  });
  const go = el("button", { class: "button primary", type: "submit" }, "Search");
  const problem = el("p", { class: "form-problem", role: "alert" });
  const note = el("p", { class: "list-note", role: "status" });
  const results = createTable("Results", [["Number", "figure rank"], ["Lesson", ""], ["Instructor", ""], ["Price", "figure"], ["km", "figure"], ["Score", "figure"], ["Words", "figure"], ["Meaning", "figure"]]);
  results.element.hidden = true;
  const diagnosis = createDiagnosis();
  diagnosis.element.hidden = true;
  const form = el(
    "form",
    { on: { submit: onSubmit } },
    el("label", { htmlFor: sentence.id }, "Sentence"),
    el("div", { class: "trial-line" }, sentence, go),
    el("div", { class: "chips trial-choices" }, city, ...boxes.map(([, , label]) => label)),
    problem,
  );

  async function readCities() {
    try {
      city.append(...(await api.cities()).map(({ id, name }) => el("option", { value: id }, name)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(problem, error.message);
    }
  }

  async function onSubmit(event) {
    event.preventDefault();
    const text = sentence.value.trim();
    if (!text || go.disabled) return;
    go.disabled = true;
    setText(problem, "");
    setText(note, "Searching …");
    const chosen = boxes.filter(([, box]) => box.checked).map(([name]) => name);
    try {
      show(
        await api.search({
          q: text,
          city: city.value,
          limit: RESULTS,
          skip: chosen.filter((name) => name !== "load").join(","),
          simulate_high_load: chosen.includes("load") ? true : null,
        }),
      );
    } catch (error) {
      setText(problem, error.message);
      // What an earlier one found is no answer to this one.
      setText(note, "");
      results.element.hidden = diagnosis.element.hidden = true;
    } finally {
      go.disabled = false;
    }
  }

  function show({ query_id: id, results: found, meta, diagnostics }) {
    diagnosis.element.hidden = false;
    diagnosis.show({ ...meta, total: meta.total_candidates, diagnostics });
    const total = meta.total_candidates;
    const told = total === 0 ? "Nothing fits." : found.length < total ? `The first ${found.length} of ${number(total)}.` : `All ${number(total)} that fit.`;
    note.replaceChildren(`${told} `, el("a", { class: "link", href: `#/search/queries/${encodeURIComponent(id)}` }, `Query ${id}`));
    results.element.hidden = found.length === 0;
    const figure = (value, digits) => (value === null ? null : value.toFixed(digits));
    results.fill(
      found.map((each, index) => [
        String(index + 1),
        each.title,
        each.instructor.display_name,
        each.currency && `${moneyOf(each.price_cents, each.currency)} / ${each.duration_minutes} min`,
        figure(each.distance_km, 1),
        figure(each.score, 3),
        figure(each.matched.text, 2),
        figure(each.matched.vector, 2),
      ]),
    );
  }

  if (isPerson) void readCities();
  return {
    element: el(
      "section",
      { class: "panel", "aria-label": "Try a search" },
      el("h2", { class: "panel-title" }, "Try a search"),
      el(
        "p",
        { class: "panel-words" },
        isPerson
          ? "It is answered as for anybody, without the cache where something is left out, and tells all there is to know of it."
          : "A search is somebody’s, and a key is nobody: sign in as an admin to try one.",
      ),
      isPerson && form,
      note,
      results.element,
      diagnosis.element,
    ),
  };
}
