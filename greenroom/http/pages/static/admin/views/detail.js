/** One actor: what it is, what it does now, how it ended before, and what can be done to it. */

import { el, setText } from "../../dom.js";
import { closeIcon } from "../../icons.js";
import { poll } from "../polling.js";
import { duration, number, percent, plural, when } from "../words.js";
import { splitBranch } from "../workers.js";
import { ACTIONS, askAndAct } from "./action_dialog.js";
import { createTable, factList } from "./table.js";

const EVERY_MS = 1_500;

/** Why an actor that is started on demand is gone, when it was done from here. */
const GONE = {
  passivate: "Done: it sleeps. The next message to it wakes it.",
  stop: "Done: it has ended. The next message to it starts it again.",
};

export function createDetail({ api, path, announce, close }) {
  const title = el("h2", { class: "panel-title detail-path", tabIndex: -1 }, path);
  const badge = el("span", { class: "state" });
  const buttons = Object.keys(ACTIONS).map((action) => {
    const button = el(
      "button",
      { class: "button small", type: "button", "data-action": action, on: { click: () => act(action) } },
      ACTIONS[action][0],
    );
    return button;
  });
  const problem = el("p", { class: "form-problem", role: "alert" });
  const gone = el("p", { class: "list-note", role: "status" });
  let isEssential = false;
  let lastDone = null;
  const facts = el("div", {});
  const sections = {
    current: section("In hand"),
    view: section("Its own view"),
    messages: section("Last messages"),
    statistics: section("All of its kind"),
    exits: section("Exits"),
    stack: section("Where it stands"),
    monitors: section("Monitors"),
  };
  const messages = createTable("Last messages", [["Message", ""], ["Queued", "figure"], ["Handled in", "figure"], ["At", "at"], ["Trace", "code"]]);
  const totals = createTable("All of its kind", [["Message", ""], ["Count", "figure"], ["Failed", "figure"], ["Expired", "figure"], ["Mean", "figure"]]);
  sections.messages.body.append(messages.element);
  sections.statistics.body.append(totals.element);
  const element = el(
    "section",
    { class: "panel detail", "aria-label": `Actor ${path}` },
    el(
      "header",
      { class: "detail-header" },
      title,
      badge,
      el("button", { class: "icon-button", type: "button", "aria-label": "Close", on: { click: close } }, closeIcon()),
    ),
    el("div", { class: "detail-actions" }, ...buttons),
    problem,
    gone,
    facts,
    ...Object.values(sections).map((each) => each.element),
  );
  const asking = poll(
    EVERY_MS,
    async () => show(await api.actor(path)),
    (error) => {
      const isGone = error?.status === 404;
      setText(problem, isGone ? "" : (error?.message ?? ""));
      setText(gone, isGone ? (GONE[lastDone] ?? "It does not live now: it was stopped or fell asleep. A message to it brings it back.") : "");
      if (isGone) {
        setText(badge, "gone");
        badge.dataset.state = "stopped";
        for (const button of buttons) button.hidden = true;
      }
    },
  );

  function show(actor) {
    const { node } = actor;
    setText(badge, node.state);
    badge.dataset.state = node.state;
    const isRoot = splitBranch(path)[1].lastIndexOf("/") === 0;
    const isSupervisor = node.strategy !== null;
    const isStopped = node.state === "stopped";
    isEssential = node.is_essential;
    for (const button of buttons) {
      const { action } = button.dataset;
      button.hidden =
        isRoot ||
        (isStopped && action !== "restart") ||
        (isSupervisor && !["restart", "stop"].includes(action)) ||
        (action === "suspend" && node.state === "suspended") ||
        (action === "resume" && node.state !== "suspended") ||
        (action === "passivate" && node.key === null);
      if (action === "restart") setText(button, isStopped ? "Start" : ACTIONS.restart[0]);
    }
    const box = node.mailbox;
    facts.replaceChildren(
      factList([
        ["Kind", node.kind],
        ["Incarnation", node.restarts ? `${number(node.incarnation)}, after ${plural(node.restarts, "restart")}` : number(node.incarnation)],
        ["Started", when(node.started_at)],
        ["Starts again in", node.backoff_left_ms > 0 ? duration(node.backoff_left_ms) : null],
        ["Strategy", node.strategy?.replaceAll("_", " ")],
        ["Restarts it allows", isSupervisor ? `${node.intensity_used} of ${node.intensity_allowed} used` : null],
        ["Children", isSupervisor ? number(node.children_total) : null],
        ["Mailbox", box && `${number(box.depth)} of ${number(box.capacity)}, at most ${number(box.peak)} so far (${box.policy.replaceAll("_", " ")})`],
        ["Oldest message", box?.depth ? duration(box.oldest_ms) : null],
        ["Handled", box && `${number(node.handled)}, failed ${number(node.failed)}, expired ${number(node.expired)}, refused ${number(node.refused)}`],
        ["Busy", box && `${percent(node.busy_share)} of the last 10 s`],
        ["In the handler", node.latency_ms?.p50 != null ? `p50 ${duration(node.latency_ms.p50)}, p95 ${duration(node.latency_ms.p95)}, p99 ${duration(node.latency_ms.p99)}` : null],
        ["Traced", actor.is_traced ? "yes" : null],
      ]),
    );
    const current = node.current;
    sections.current.fill(
      current &&
        factList([
          ["Message", `${current.message}${current.count > 1 ? ` ×${current.count}` : ""}`],
          ["Is at", current.activity],
          ["For", duration(current.for_ms)],
          ["Deadline in", current.deadline_left_ms === null ? "none" : duration(current.deadline_left_ms)],
          ["Waited for by", current.callers.join(" → ")],
          ["Trace", current.trace_id],
        ]),
    );
    const seen = Object.entries(actor.view);
    sections.view.fill(
      seen.length > 0 && factList(seen.map(([name, value]) => [name.replaceAll("_", " "), typeof value === "object" ? JSON.stringify(value) : String(value)])),
    );
    messages.fill(
      [...actor.messages]
        .reverse()
        .map((each) => [`${each.message}${each.failed ? " (failed)" : ""}`, duration(each.queue_ms), duration(each.handler_ms), when(each.at), each.trace_id]),
    );
    sections.messages.element.hidden = actor.messages.length === 0;
    totals.fill(
      actor.statistics.map((each) => [each.message, number(each.count), number(each.failures), number(each.expired), each.count ? duration((1000 * each.handler_s) / each.count) : "–"]),
    );
    sections.statistics.element.hidden = actor.statistics.length === 0;
    showExits(actor.exits);
    sections.stack.fill(actor.stack.length > 0 && el("pre", { class: "trace" }, actor.stack.map(short).join("\n")));
    sections.monitors.fill(
      (actor.watching.length > 0 || actor.watched_by.length > 0) &&
        factList([
          ["Watches", actor.watching.join(", ")],
          ["Watched by", actor.watched_by.join(", ")],
        ]),
    );
  }

  let exitsShown = "";
  function showExits(exits) {
    // What somebody unfolded to read stays unfolded until there is news.
    const key = exits.map((each) => `${each.incarnation} ${each.at}`).join();
    if (key === exitsShown) return;
    exitsShown = key;
    sections.exits.fill(
      exits.length > 0 &&
        el(
          "ol",
          { class: "exits" },
          ...[...exits].reverse().map((each) =>
            el(
              "li",
              {},
              each.traceback.length > 0
                ? el(
                    "details",
                    {},
                    el("summary", {}, el("span", { class: "exit-reason" }, each.reason), " ", el("span", { class: "exit-at" }, when(each.at))),
                    el("pre", { class: "trace" }, each.traceback.map(short).join("\n")),
                  )
                : el("p", {}, el("span", { class: "exit-reason" }, each.reason), " ", el("span", { class: "exit-at" }, when(each.at))),
            ),
          ),
        ),
    );
  }

  async function act(action) {
    const label = buttons.find((button) => button.dataset.action === action).textContent;
    const done = await askAndAct({ action, label, path, isEssential, act: (reason) => api.act(path, action, reason) });
    if (done) {
      lastDone = action;
      announce(`${label}: done, ${path}`);
    }
    asking.now();
    title.focus();
  }

  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  return { element, update() {}, focus: () => title.focus(), close: asking.close };
}

/** A frame without the folders above the package: they are the same in every line. */
const short = (frame) => frame.replace(/^.*?\/(site-packages|greenroom(?=\/greenroom\/))\//, "").replace(/^\/.*\/(?=greenroom\/)/, "");

function section(label) {
  const body = el("div", { class: "detail-body" });
  const element = el("section", { class: "detail-section", hidden: true }, el("h3", { class: "detail-title" }, label), body);
  return {
    element,
    body,
    /** Show `content`, or nothing at all if there is none. */
    fill(content) {
      element.hidden = !content;
      if (content) body.replaceChildren(content);
    },
  };
}
