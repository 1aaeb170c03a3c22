/** One lesson: all there is to know about it, and calling it off, moving it, or noting that it was given. */

import { ApiError } from "../api.js";
import { outcomeOf, permitted, titleOf } from "../bookings.js";
import { el, setText } from "../dom.js";
import { moneyOf } from "../money.js";
import { spanOf } from "../times.js";
import { field } from "./field.js";
import { smallDialog } from "./small_dialog.js";
import { createWhenField, refusedTime } from "./when_field.js";

/** The server's bound. */
const REASON_LENGTH_MAX = 500;

/** What is said when somebody else was faster. */
const CHANGED = "This lesson was changed meanwhile.";

/**
 * @param actions `{ move(booking, moment), cancel(booking, reason), complete(booking) }`, which reject with an ApiError, and
 *   `writeAbout(booking)`.
 */
export function createLessonDialog(actions) {
  const title = el("h2", { class: "dialog-title", id: "lesson-title", dir: "auto" });
  const facts = el("dl", { class: "facts" });
  const news = el("p", { class: "form-notice", role: "status" });
  const when = createWhenField({ name: "move" });
  const reason = field(
    "Reason (optional; the other reads it)",
    { name: "reason", rows: 2, maxLength: REASON_LENGTH_MAX, dir: "auto" },
    "textarea",
  );
  /** What can be done: each a button, and a form that takes its place. */
  const doings = {
    move: createDoing({
      label: "Move",
      confirm: "Move the lesson",
      back: "Leave it",
      parts: [when.element],
      begin() {
        when.set(new Date(booking.starts_at));
        when.focus();
      },
      check: when.check,
      run: () => actions.move(booking, when.moment),
      explain: (error) => refusedTime(error) && (when.refuse(refusedTime(error)), true),
    }),
    cancel: createDoing({
      label: "Cancel lesson",
      confirm: "Cancel the lesson",
      back: "Keep it",
      isDangerous: true,
      parts: [reason.element],
      begin() {
        reason.input.value = "";
        reason.refuse(null);
        reason.input.focus();
      },
      check: reason.check,
      run: () => actions.cancel(booking, reason.input.value.trim()),
      explain: ({ faults }) => faults.length > 0 && (reason.refuse(faults[0].words), true),
    }),
    complete: createDoing({
      label: "Mark as given",
      confirm: "Yes, it was given",
      back: "Not yet",
      parts: [el("p", { class: "dialog-words" }, "That can't be taken back.")],
      begin: () => doings.complete.confirm.focus(),
      run: () => actions.complete(booking),
    }),
  };
  const buttons = el(
    "div",
    { class: "dialog-buttons" },
    el("button", { class: "button quiet", type: "button", on: { click: write } }, "Write about it"),
    ...Object.values(doings).map(({ opener }) => opener),
  );
  const element = smallDialog(
    title,
    el(
      "div",
      { class: "dialog-scroller lesson" },
      facts,
      news,
      buttons,
      ...Object.values(doings).map(({ form }) => form),
    ),
  );

  let booking = null; // the one that is shown, as it was told last
  let shown = null; // what the element was last made of
  let doing = null; // the form that is open

  function createDoing({ label, confirm: words, back, isDangerous = false, parts, begin, check, run, explain }) {
    const problem = el("p", { class: "form-problem", role: "alert" });
    const confirm = el(
      "button",
      { class: isDangerous ? "button danger" : "button primary", type: "submit" },
      words,
    );
    const opener = el("button", { class: "button quiet", type: "button", on: { click: start } }, label);
    const form = el(
      "form",
      { class: "lesson-form", noValidate: true, hidden: true, on: { submit: onSubmit } },
      ...parts,
      problem,
      el(
        "div",
        { class: "dialog-buttons" },
        el("button", { class: "button", type: "button", on: { click: () => (show(null), opener.focus()) } }, back),
        confirm,
      ),
    );

    function start() {
      problem.textContent = "";
      show(self);
      begin();
    }

    async function onSubmit(event) {
      event.preventDefault();
      if (confirm.disabled || (check && !check())) return;
      const about = booking.id;
      problem.textContent = "";
      confirm.disabled = true;
      try {
        await run();
        if (booking.id === about) element.close();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!explain?.(error)) problem.textContent = error.message;
      } finally {
        confirm.disabled = false;
      }
    }

    const self = { opener, form, confirm };
    return self;
  }

  function show(chosen) {
    doing = chosen;
    news.textContent = "";
    buttons.hidden = doing !== null;
    for (const { form } of Object.values(doings)) form.hidden = form !== doing?.form;
  }

  function write() {
    const about = booking;
    element.close();
    actions.writeAbout(about);
  }

  function open(state, id) {
    booking = state.bookings[id];
    if (!booking?.starts_at) return;
    shown = null;
    show(null);
    element.showModal();
    update(state);
  }

  function update(state) {
    if (!element.open) return;
    const now = new Date();
    const { version } = booking;
    booking = state.bookings[booking.id] ?? booking;
    const other = state.conversations[booking.conversation_id]?.other.display_name ?? null;
    const may = permitted(state.me, booking, now);
    const content = JSON.stringify([booking, other, may, outcomeOf(booking, state.me, other, now)]);
    if (shown === content) return;
    shown = content;
    setText(title, titleOf(booking));
    facts.replaceChildren(...factsOf(booking, state.me, other, now));
    for (const [name, { opener }] of Object.entries(doings)) opener.hidden = !may[name];
    // Our own change closes the window once it is answered; any other was somebody else's.
    if (booking.version === version || doing?.confirm.disabled) return;
    if (doing && doing.opener.hidden) show(null);
    setText(news, CHANGED);
  }

  return { element, /** Show a lesson; it has to be in the state. */ open, update };
}

function factsOf(booking, me, other, now) {
  const { starts_at, ends_at, duration_minutes, price_cents, currency, note, cancel_reason } = booking;
  const facts = [
    ["When", spanOf(starts_at, ends_at)],
    ["With", other],
    ["Length", `${duration_minutes} minutes`],
    ["Price", moneyOf(price_cents, currency)],
    ["Note", note],
    ["Status", outcomeOf(booking, me, other, now)],
    ["Reason", cancel_reason],
  ];
  return facts
    .filter(([, words]) => words)
    .flatMap(([name, words]) => [el("dt", {}, name), el("dd", { dir: "auto" }, words)]);
}
