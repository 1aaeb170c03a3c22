/** One job: what became of it so far, the event it follows from, and having it tried again. */

import { el, setText } from "../../dom.js";
import { closeIcon } from "../../icons.js";
import { poll } from "../polling.js";
import { number, whenExactly } from "../words.js";
import { ask } from "./action_dialog.js";
import { factList } from "./table.js";

const EVERY_MS = 2_000;

/** A job's state, and of a pending one what it is pending for, in the words of the figures: a worker that had it may have died. */
export function stateOf(job, now = Date.now()) {
  if (job.state !== "pending") return job.state;
  if (job.claimed_until !== null && Date.parse(job.claimed_until) > now) return "running";
  return Date.parse(job.due_at) <= now ? "waiting" : "scheduled";
}

export function createJob({ api, id, announce, close, onChange }) {
  const title = el("h2", { class: "panel-title detail-path", tabIndex: -1 }, `Job ${id}`);
  const badge = el("span", { class: "state" });
  const retry = el("button", { class: "button small", type: "button", hidden: true, on: { click: askToRetry } }, "Try again");
  const problem = el("p", { class: "form-problem", role: "alert" });
  const facts = el("div", {});
  const error = el("p", { class: "job-error" });
  const errorSection = el("section", { class: "detail-section", hidden: true }, el("h3", { class: "detail-title" }, "Last error"), error);
  const payload = el("pre", { class: "trace", tabIndex: 0, "aria-label": "Event" });
  const element = el(
    "section",
    { class: "panel detail", "aria-label": `Job ${id}` },
    el(
      "header",
      { class: "detail-header" },
      title,
      badge,
      el("button", { class: "icon-button", type: "button", "aria-label": "Close", on: { click: close } }, closeIcon()),
    ),
    el("div", { class: "detail-actions" }, retry),
    problem,
    facts,
    errorSection,
    el("section", { class: "detail-section" }, el("h3", { class: "detail-title" }, "The event"), payload),
  );
  const asking = poll(
    EVERY_MS,
    async () => show(await api.job(id)),
    (failure) => setText(problem, failure?.message ?? ""),
  );

  function show(job) {
    setText(badge, stateOf(job));
    badge.dataset.state = stateOf(job);
    retry.hidden = job.state !== "dead";
    facts.replaceChildren(
      factList([
        ["Handler", job.handler.replaceAll("_", " ")],
        ["Event", `${job.type} ${job.event_id}`],
        ["About", job.aggregate_id],
        ["Tries", number(job.attempts)],
        ["Planned for", whenExactly(job.planned_at)],
        ["Due", job.state === "pending" ? whenExactly(job.due_at) : null],
        ["Claimed by", job.claimed_by && `${job.claimed_by}, until ${whenExactly(job.claimed_until)}`],
        ["Written", whenExactly(job.created_at)],
        ["Finished", job.finished_at && whenExactly(job.finished_at)],
      ]),
    );
    errorSection.hidden = job.last_error === null;
    setText(error, job.last_error ?? "");
    setText(payload, JSON.stringify(job.payload, null, 2));
  }

  async function askToRetry() {
    const wasDone = await ask({
      title: "Try this job again?",
      subject: `outbox/${id}`,
      meaning: "It is due at once, with all its tries. What it follows from is not done again.",
      label: "Try again",
      act: (reason) => api.retryJob(id, reason),
    });
    if (wasDone) announce(`Try again: done, job ${id}`);
    asking.now();
    onChange();
    title.focus();
  }

  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  return { element, focus: () => title.focus(), close: asking.close };
}
