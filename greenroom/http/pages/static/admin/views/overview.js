/** The figures that are always in sight. */

import { el, setText } from "../../dom.js";
import { createGraph } from "./graph.js";
import { hinderedOf, nameOf } from "../tree.js";
import { splitBranch } from "../workers.js";
import { duration, number, percent } from "../words.js";

/** A loop that is this late is felt by people. */
const LATE_MS = 50;

export function createOverview() {
  const lag = tile("Loop lag, p99", createGraph({ floor: 5, label: "Lag in milliseconds" }));
  const turn = tile("Longest turn", createGraph({ floor: 20, label: "Longest turn in milliseconds" }));
  const busy = tile("Loop busy", createGraph({ floor: 1, label: "Share of time" }));
  const actors = tile("Actors");
  const streams = tile("Streams");
  const restarts = tile("Restarts");
  const letters = tile("Dead letters");
  const outOfService = tile("Out of service");
  const alarm = el("p", { class: "alarm", role: "alert", hidden: true });
  return {
    alarm,
    element: el(
      "section",
      { class: "overview", "aria-label": "Overview" },
      ...[lag, turn, busy, actors, streams, restarts, letters, outOfService].map((each) => each.element),
    ),
    update({ pulses, nodes, workers }) {
      const hindered = hinderedOf(nodes);
      alarm.hidden = hindered.length === 0;
      setText(alarm, hindered.length === 0 ? "" : `${hindered.map(inWords).join(", ")}. ${workers.length > 0 ? "Such a worker" : "This server"} is not ready for requests.`);
      const now = pulses.at(-1);
      if (!now) return;
      lag.show(duration(now.lag_ms_p99), now.lag_ms_p99 >= LATE_MS, pulses.map((pulse) => pulse.lag_ms_p99));
      const longest = now.longest_turn_ms;
      turn.show(duration(longest), longest >= 2 * LATE_MS, pulses.map((pulse) => pulse.longest_turn_ms));
      busy.show(percent(now.busy_share), now.busy_share > 0.8, pulses.map((pulse) => pulse.busy_share));
      actors.show(number(now.actors));
      streams.show(number(now.streams));
      restarts.show(number(now.restarts));
      letters.show(number(now.dead_letters));
      outOfService.show(number(Math.max(hindered.length, now.wedged)), hindered.length > 0 || now.wedged > 0);
    },
  };
}

function inWords(node) {
  const [worker] = splitBranch(node.path);
  return `${nameOf(node.path)}${worker ? ` of worker ${worker}` : ""} is ${node.hindrance}`;
}

function tile(label, graph = null) {
  const value = el("span", { class: "tile-value" }, "–");
  const element = el(
    "div",
    { class: graph ? "tile has-graph" : "tile" },
    el("span", { class: "tile-label" }, label),
    value,
    graph && graph.element,
  );
  return {
    element,
    show(text, isWorrying = false, values = []) {
      setText(value, text);
      element.classList.toggle("is-worrying", isWorrying);
      graph?.update(values);
    },
  };
}
