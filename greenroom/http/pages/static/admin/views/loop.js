/** The event loop: how late it is, what keeps it, what blocked it. */

import { el, keyed, setText } from "../../dom.js";
import { poll } from "../polling.js";
import { duration, number, percent, plural, when } from "../words.js";
import { createGraph } from "./graph.js";
import { createTable, factList } from "./table.js";

const PROBE_S = 10;

export function createLoop({ api, getState }) {
  let worker = null;
  const chips = el("div", { class: "chips", role: "group", "aria-label": "Worker", hidden: true });
  const lag = createGraph({ floor: 5, label: "Lag (p99) in milliseconds" });
  const turn = createGraph({ floor: 20, label: "Longest turn in milliseconds" });
  const lagTop = el("span", {});
  const turnTop = el("span", {});
  const facts = el("div", {});
  const note = el("p", { class: "list-note" });
  const steps = createTable("Longest steps", [["Task", "code"], ["Step", "figure"], ["Ago", "figure"]]);
  const stepWords = el("p", { class: "panel-words" });
  const probe = el("button", { class: "button small", type: "button", on: { click: measure } }, `Measure for ${PROBE_S} s`);
  const stalls = el("ol", { class: "exits" });
  const stallWords = el("p", { class: "panel-words" });
  const asking = poll(
    1_000,
    async () => {
      showWorkers();
      const asked = worker;
      const loop = await api.loop(asked);
      if (asked === worker) show(loop);
    },
    (error) => setText(note, error?.message ?? ""),
  );
  let stallsShown = "";

  function showWorkers() {
    const { workers } = getState();
    if (!workers.includes(worker)) worker = workers[0] ?? null;
    chips.hidden = workers.length === 0;
    keyed(chips, workers, {
      key: (name) => name,
      create: (name) => el("button", { class: "chip", type: "button", on: { click: () => choose(name) } }, `worker ${name}`),
      update: (chip, name) => chip.setAttribute("aria-pressed", String(name === worker)),
    });
  }

  function choose(name) {
    worker = name;
    showWorkers();
    asking.now();
  }

  function showGraph(graph, top, values) {
    graph.update(values);
    setText(top, `at most ${duration(Math.max(0, ...values))}`);
  }

  function show(loop) {
    showGraph(lag, lagTop, bySecond(loop.seconds, "lag_ms_p99"));
    showGraph(turn, turnTop, bySecond(loop.seconds, "longest_turn_ms"));
    facts.replaceChildren(
      factList([
        ["Lag", `p50 ${duration(loop.lag_ms.p50)}, p95 ${duration(loop.lag_ms.p95)}, p99 ${duration(loop.lag_ms.p99)}`],
        ["Longest turn", duration(loop.longest_turn_ms)],
        ["Busy", `${percent(loop.busy_share)} in ${plural(loop.turns, "turn")}`],
        ["Tasks", `${number(loop.tasks_living)}, of which ${number(loop.tasks_runnable)} stand in line`],
        ["Next deadline", loop.next_deadline_ms === null ? "none" : `in ${duration(loop.next_deadline_ms)}`],
        ["Garbage collection", `${plural(loop.gc.count, "pause")}, the longest ${duration(loop.gc.longest_ms)}, together ${duration(loop.gc.total_ms)}`],
      ]),
    );
    showSteps(loop.steps);
    showStalls(loop);
  }

  function showSteps(report) {
    probe.disabled = Boolean(report?.is_attached);
    steps.element.hidden = !report;
    if (!report) {
      setText(stepWords, "Which task keeps the loop longest is measured on demand only: every task is a little slower meanwhile.");
      return;
    }
    const left = report.is_attached ? `Measuring, ${Math.ceil(report.left_s)} s left: ` : "Measured: ";
    setText(
      stepWords,
      `${left}${plural(report.steps, "step")}, ${report.batch_mean.toFixed(1)} tasks per turn, at most ${number(report.batch_max)}.`,
    );
    steps.fill(report.longest.map((each) => [each.owner, duration(each.ms), duration(1000 * each.ago_s)]));
  }

  function showStalls({ stalls: seen, stall_threshold_ms: threshold }) {
    setText(
      stallWords,
      threshold === null
        ? "Nothing watches for stalls (GREENROOM_STALL_THRESHOLD_MS is 0)."
        : seen.length === 0
          ? `The loop has not been blocked for ${duration(threshold)} or longer.`
          : `Each time the loop was blocked for ${duration(threshold)} or longer, and where it was when that was noticed.`,
    );
    const key = seen.map((each) => each.at).join();
    if (key === stallsShown) return;
    stallsShown = key;
    stalls.replaceChildren(
      ...seen.map((each) =>
        el(
          "li",
          {},
          el(
            "details",
            {},
            el("summary", {}, el("span", { class: "exit-reason" }, each.owner || "unknown task"), ` over ${duration(each.for_ms)} `, el("span", { class: "exit-at" }, when(each.at))),
            el("pre", { class: "trace" }, each.stack.join("\n")),
          ),
        ),
      ),
    );
  }

  async function measure() {
    probe.disabled = true;
    try {
      await api.probeSteps(PROBE_S, worker);
    } catch (error) {
      setText(note, error.message);
    }
    asking.now();
  }

  const element = el(
    "div",
    { class: "loop-page" },
    el(
      "section",
      { class: "panel" },
      el("h2", { class: "panel-title" }, "The last minute"),
      chips,
      el(
        "div",
        { class: "graphs" },
        el("figure", { class: "graph-box" }, el("figcaption", {}, el("span", {}, "Lag, p99"), lagTop), lag.element),
        el("figure", { class: "graph-box" }, el("figcaption", {}, el("span", {}, "Longest turn"), turnTop), turn.element),
      ),
      facts,
      note,
    ),
    el(
      "section",
      { class: "panel" },
      el("div", { class: "panel-head" }, el("h2", { class: "panel-title" }, "Longest steps"), probe),
      stepWords,
      steps.element,
    ),
    el("section", { class: "panel" }, el("h2", { class: "panel-title" }, "Stalls"), stallWords, stalls),
  );
  return { element, close: asking.close };
}

/** One value for each second since the first that is known; a second without a turn was an idle one. */
function bySecond(seconds, name) {
  if (seconds.length === 0) return [];
  const values = new Array(Math.min(60, Math.round(seconds[0].ago_s) + 1)).fill(0);
  for (const second of seconds) {
    const place = values.length - 1 - Math.round(second.ago_s);
    if (place >= 0) values[place] = second[name];
  }
  return values;
}
