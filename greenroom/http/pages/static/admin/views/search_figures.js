/** What many searches come to: how many, what for, in vain or not, how long they took, and how their places were found. */

import { el, setText } from "../../dom.js";
import { duration, number, percent } from "../words.js";
import { TIERS } from "./search_diagnosis.js";
import { createVolume } from "./search_volume.js";
import { createTable, factList } from "./table.js";

const HOUR_MS = 3_600_000;
const SPANS = [
  ["last day", 24],
  ["last 7 days", 7 * 24],
  ["last 30 days", 30 * 24],
];
const TEXTS = 10;
/** Places in the list whose clicks are told one by one. */
const PLACES = 10;
const TOOK = [["p50", "figure"], ["p95", "figure"], ["p99", "figure"], ["Longest", "figure"]];
const TEXT_COLUMNS = [["Sentence", "sentence"], ["Searches", "figure"], ["People", "figure"], ["Found nothing", "figure"], ["Opened", "figure"]];

/** Counted when somebody asks, and not by itself: it may be months of searches that are read. */
export function createSearchFigures({ api }) {
  let span = SPANS[0];
  const chips = el(
    "div",
    { class: "chips", role: "group", "aria-label": "Of" },
    ...SPANS.map((each) => el("button", { class: "chip", type: "button", on: { click: () => choose(each) } }, each[0])),
  );
  const again = el("button", { class: "button small", type: "button", on: { click: () => void read() } }, "Count again");
  const note = el("p", { class: "list-note", role: "status" });
  const facts = el("div", {});
  const volume = createVolume();
  const parts = {
    popular: createTable("Searched for most", TEXT_COLUMNS),
    inVain: createTable("Searched for in vain", TEXT_COLUMNS),
    took: createTable("How long it took", [["What", ""], ["Searches", "figure"], ...TOOK]),
    tiers: createTable("How places were found", [["Tier", ""], ["Tried", "figure"], ["Decided", "figure"], ["Confidence", "figure"], ...TOOK]),
    skips: createTable("What was left out", [["Stage", ""], ["Why", ""], ["Searches", "figure"]]),
  };
  const sections = [
    ["Searched for most", parts.popular],
    ["Searched for in vain", parts.inVain],
    ["How long it took", parts.took],
    ["How places were found", parts.tiers],
    ["What was left out", parts.skips],
  ].map(([label, table]) => {
    const section = el("section", { class: "detail-section", hidden: true }, el("h3", { class: "detail-title" }, label), table.element);
    return {
      element: section,
      fill(rows) {
        section.hidden = rows.length === 0;
        table.fill(rows);
      },
    };
  });
  const [popular, inVain, took, tiers, skips] = sections;

  async function read() {
    const asked = span;
    again.disabled = true;
    setText(note, "Counting …");
    const from = new Date(Date.now() - asked[1] * HOUR_MS).toISOString();
    try {
      const [summary, most, vain, latency, places, missing, opened] = await Promise.all([
        api.searchFigures("summary", { from }),
        api.searchFigures("popular", { from, limit: TEXTS }),
        api.searchFigures("zero-results", { from, limit: TEXTS }),
        api.searchFigures("latency", { from }),
        api.searchFigures("tiers", { from }),
        api.searchFigures("degradation", { from }),
        api.searchFigures("click-through", { from }),
      ]);
      if (asked !== span) return;
      setText(note, summary.searches === 0 ? "Nobody searched." : "");
      showSummary(summary, places, opened);
      volume.show(summary);
      popular.fill(most.items.map(textCells));
      inVain.fill(vain.items.map(textCells));
      took.fill([
        ["found anew", number(summary.searches - summary.cached), ...tookCells(latency.anew_ms)],
        ["from the cache", number(summary.cached), ...tookCells(latency.cached_ms)],
        ...latency.stages.map((each) => [each.stage, number(each.searches), ...tookCells(each.took_ms)]),
      ]);
      tiers.fill(
        places.tiers.map((each) => [
          TIERS[each.tier],
          number(each.tried),
          number(each.decided),
          each.confidence?.toFixed(2) ?? null,
          ...tookCells(each.took_ms),
        ]),
      );
      skips.fill(missing.skips.map((each) => [each.stage, each.reason.replaceAll("_", " "), number(each.searches)]));
    } catch (error) {
      setText(note, error.message);
    } finally {
      again.disabled = false;
    }
  }

  function showSummary({ searches, searchers, empty, degraded, cached, clicked }, { outcomes }, opened) {
    const share = (count) => (searches === 0 ? null : `${number(count)}, ${percent(count / searches)}`);
    facts.replaceChildren(
      factList([
        ["Searches", number(searches)],
        ["People", number(searchers)],
        ["A result was opened", share(clicked)],
        ["Topmost opened", opened.first_click_position !== null && `number ${(opened.first_click_position + 1).toFixed(1)} in the mean`],
        ["Opened at", openedAt(opened.positions)],
        ["Found nothing", share(empty)],
        ["Degraded", share(degraded)],
        ["From the cache", share(cached)],
        ["Places", outcomes.map(({ outcome, searches: count }) => `${outcome.replaceAll("_", " ")} ${number(count)}`).join(", ")],
      ]),
    );
  }

  function choose(each) {
    span = each;
    showSpan();
    void read();
  }

  function showSpan() {
    [...chips.children].forEach((chip, index) => chip.setAttribute("aria-pressed", String(SPANS[index] === span)));
  }

  showSpan();
  void read();
  return {
    element: el(
      "section",
      { class: "panel", "aria-label": "Figures" },
      el("div", { class: "panel-head" }, el("h2", { class: "panel-title" }, "Figures"), again),
      el("p", { class: "panel-words" }, "Further pages of a search are not counted, nor are searches that an operator tried with something left out or as under high load."),
      chips,
      note,
      facts,
      volume.element,
      ...sections.map((each) => each.element),
    ),
  };
}

/** How often a result was opened where in the list: those further down in sum. */
function openedAt(positions) {
  const near = positions.filter(({ position }) => position < PLACES);
  const further = positions.filter(({ position }) => position >= PLACES).reduce((sum, { clicks }) => sum + clicks, 0);
  const told = near.map(({ position, clicks }) => `number ${position + 1}: ${number(clicks)}`);
  return [...told, further > 0 && `further down: ${number(further)}`].filter(Boolean).join(", ");
}

const textCells = ({ text, searches, searchers, empty, clicked }) => [text, ...[searches, searchers, empty, clicked].map(number)];

const tookCells = ({ p50, p95, p99, max }) => [p50, p95, p99, max].map(duration);
