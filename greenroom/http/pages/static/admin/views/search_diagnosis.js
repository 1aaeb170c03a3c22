/** How one search went: its budget, its stages on the budget's axis, its places tier by tier, how many were left. */

import { el, setText } from "../../dom.js";
import { KINDS, noticesOf, understoodOf } from "../../search_words.js";
import { duration, number, percent } from "../words.js";
import { createTable, factList } from "./table.js";

export const TIERS = { 1: "1 exact name", 2: "2 other name", 3: "3 spelt alike", 4: "4 alike in meaning", 5: "5 asked a model" };
const FUNNEL = [
  ["text", "by words"],
  ["vector", "by meaning"],
  ["fused", "together"],
  ["filtered", "within bounds"],
  ["final", "ranked"],
];

export function createDiagnosis() {
  const facts = el("div", {});
  const budget = el("div", { class: "budget" });
  const skipped = createTable("What was left out", [["Stage", ""], ["Why", ""], ["Detail", "prose"]]);
  const stages = el("ol", { class: "stages" });
  const tiers = createTable("Places, tier by tier", [["Tier", ""], ["Tried", ""], ["Confidence", "figure"], ["Took", "figure"], ["Result", "prose"]]);
  const funnel = el("ol", { class: "stages" });
  const prompts = el("div", { class: "prompts" });
  const sections = {
    facts: section("Understood", facts),
    budget: section("Budget", budget),
    skipped: section("Left out", skipped.element),
    stages: section("Stages", stages),
    tiers: section("Places", tiers.element),
    funnel: section("Candidates", funnel),
    prompts: section("Prompts", prompts),
  };
  const element = el("div", { class: "diagnosis" }, ...Object.values(sections));

  function showBudget({ limit_ms: limit, used_ms: used, degraded }) {
    const bar = el("span", { class: "stage-bar", "data-status": used > limit ? "timeout" : "ok" });
    place(bar, 0, Math.min(1, used / limit));
    budget.replaceChildren(
      el("span", { class: "stage-track" }, bar),
      el("p", { class: "budget-words" }, `${duration(used)} of ${duration(limit)}, ${percent(used / limit)}`, degraded && el("span", { class: "state", "data-state": "dead" }, "degraded")),
    );
  }

  function showStages(timings, { limit_ms: limit, used_ms: used }) {
    // What was begun last may end after the budget did.
    const axis = Math.max(limit, used, ...timings.map((each) => each.start_ms + each.duration_ms));
    stages.replaceChildren(
      ...timings.map((each) => {
        const bar = el("span", { class: "stage-bar", "data-status": each.status });
        place(bar, each.start_ms / axis, (each.start_ms + each.duration_ms) / axis);
        const end = el("span", { class: "stage-limit", title: "the budget’s end" });
        end.style.setProperty("--at", limit / axis);
        const took = each.status === "ok" ? duration(each.duration_ms) : `${duration(each.duration_ms)}, ${each.status}`;
        return el(
          "li",
          { class: "stage" },
          el("span", { class: "stage-name" }, each.name),
          el("span", { class: "stage-track", title: `from ${duration(each.start_ms)} on` }, bar, end),
          el("span", { class: "stage-took" }, took),
        );
      }),
    );
  }

  function showFunnel(counts) {
    const most = Math.max(1, ...Object.values(counts));
    funnel.replaceChildren(
      ...FUNNEL.map(([name, label]) => {
        const bar = el("span", { class: "stage-bar" });
        bar.hidden = counts[name] === 0;
        place(bar, 0, counts[name] / most);
        return el(
          "li",
          { class: "stage" },
          el("span", { class: "stage-name" }, label),
          el("span", { class: "stage-track" }, bar),
          el("span", { class: "stage-took" }, number(counts[name])),
        );
      }),
    );
  }

  function showPrompts(asked) {
    prompts.replaceChildren(
      ...asked.map((each) =>
        el(
          "details",
          {},
          el("summary", {}, `${each.purpose}, ${each.model}`, each.error && el("span", { class: "state", "data-state": "dead" }, each.error)),
          el("pre", { class: "trace" }, each.request),
          each.response && el("pre", { class: "trace" }, each.response),
        ),
      ),
    );
  }

  return {
    element,
    /** @param diagnostics null where they were dropped already. */
    show({ parsed, location, budget: used, cache, total, diagnostics }) {
      facts.replaceChildren(
        factList([
          ...understoodOf({ parsed, location }).map(({ kind, label, parts }) => [KINDS[kind], label === parts[0].text ? label : `${label} (“${parts[0].text}”)`]),
          ["Kinds of lessons", parsed.services.map(({ category, weight }) => `${category} ${percent(weight)}`).join(", ")],
          ["Looked up", location.text && placeOf(location)],
          ["Not in", location.excluded.map(({ id }) => id).join(", ")],
          ["Told", noticesOf(parsed).join(" ")],
          ["May be", location.candidates.map(({ region, tier, confidence }) => `${region.id} (tier ${tier}, ${confidence.toFixed(2)})`).join(", ")],
          ["Read by", parsed.source],
          ["Answer cache", cache],
          ["Lessons that fit", total === null ? null : number(total)],
        ]),
      );
      showBudget(used);
      sections.skipped.hidden = used.skipped.length === 0;
      skipped.fill(used.skipped.map((each) => [each.stage, each.reason.replaceAll("_", " "), each.detail]));
      for (const name of ["stages", "tiers", "funnel", "prompts"]) sections[name].hidden = !diagnostics;
      if (!diagnostics) return;
      showStages(diagnostics.stages, used);
      sections.tiers.hidden = diagnostics.tiers.length === 0;
      tiers.fill(diagnostics.tiers.map((each) => [TIERS[each.tier], each.tried ? "yes" : "no", each.confidence?.toFixed(2) ?? null, duration(each.duration_ms), each.result]));
      showFunnel(diagnostics.funnel);
      sections.prompts.hidden = diagnostics.prompts.length === 0;
      showPrompts(diagnostics.prompts);
    },
  };
}

function placeOf({ text, outcome, tier, confidence, region }) {
  const found = region ? `${region.id}, ` : "";
  return `“${text}”: ${found}${outcome.replaceAll("_", " ")}${tier === null ? "" : ` by tier ${tier} (${confidence.toFixed(2)})`}`;
}

/** Where a bar begins and ends, as shares of its track. */
function place(bar, from, to) {
  bar.style.setProperty("--from", from);
  bar.style.setProperty("--to", to);
}

function section(label, body) {
  const title = el("h3", { class: "detail-title" });
  setText(title, label);
  return el("section", { class: "detail-section", "aria-label": label }, title, body);
}
