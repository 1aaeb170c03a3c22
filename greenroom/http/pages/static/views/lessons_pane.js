/** All of somebody's lessons, those to come and those that were, from every conversation. */

import { lessonsOf, outcomeOf, titleOf } from "../bookings.js";
import { el, keyed, setText } from "../dom.js";
import { calendarIcon } from "../icons.js";
import { moneyOf } from "../money.js";
import { dayAndHour, inFull, zoneName } from "../times.js";
import { paneHeader } from "./pane_header.js";

const TENSES = ["upcoming", "past"];
const NAMES = { upcoming: "Upcoming", past: "Past" };
const NOTHING = {
  upcoming: ["No lessons ahead", "What you agree on in a conversation and book appears here."],
  past: ["No lessons yet", "Lessons that were given, or called off, are kept here."],
};

export const addressOfLessons = (tense = "upcoming") => (tense === "past" ? "#/lessons/past" : "#/lessons");

/** @param actions `{ openLesson(bookingId), loadMoreLessons(tense), reloadLessons(tense) }` */
export function createLessonsPane(actions) {
  const tabs = TENSES.map((tense) => el("a", { class: "segment", href: addressOfLessons(tense) }, NAMES[tense]));
  const list = el("ul", { class: "lessons" });
  const emptyTitle = el("p", { class: "empty-title" });
  const emptyWords = el("p", { class: "empty-words" });
  const empty = el("div", { class: "list-empty" }, emptyTitle, emptyWords);
  const status = el("p", { class: "dialog-status", role: "status" });
  const problem = el("div", { class: "thread-problem", role: "alert", hidden: true });
  const more = el(
    "button",
    { class: "link older", type: "button", on: { click: () => actions.loadMoreLessons(tense) } },
    "Show more",
  );
  const title = el("h2", { class: "lessons-title", tabIndex: -1 }, "My lessons");
  const zone = el("p", { class: "lessons-zone" });
  const element = el(
    "main",
    { class: "pane-thread", hidden: true },
    el(
      "section",
      { class: "thread", "aria-label": "My lessons" },
      paneHeader(calendarIcon(), [title, zone], el("nav", { class: "segments lessons-tabs", "aria-label": "Lessons" }, ...tabs)),
      el(
        "div",
        { class: "lessons-scroller" },
        el("div", { class: "lessons-column" }, list, empty, status, problem, more),
      ),
    ),
  );
  let tense = null;

  return {
    element,
    focus: () => title.focus({ preventScroll: true }),
    update(state) {
      element.hidden = state.tense === null;
      if (element.hidden) return;
      tense = state.tense;
      const now = new Date();
      const read = state.lessons[tense];
      const lessons = lessonsOf(state, tense, now);
      for (const [index, name] of TENSES.entries())
        if (name === tense) tabs[index].setAttribute("aria-current", "page");
        else tabs[index].removeAttribute("aria-current");
      setText(zone, `Times in your zone, ${zoneName()}`);
      keyed(list, lessons, {
        key: ({ id }) => id,
        create: ({ id }) => createRow(() => actions.openLesson(id)),
        update: (row, booking) => rows.get(row)(state, booking, now),
      });
      empty.hidden = !read.isLoaded || lessons.length > 0;
      setText(emptyTitle, NOTHING[tense][0]);
      setText(emptyWords, NOTHING[tense][1]);
      setText(status, read.isLoaded || read.problem || lessons.length ? "" : "Loading …");
      more.hidden = !read.isLoaded || read.cursor === null;
      showProblem(read.problem);
    },
  };

  function showProblem(words) {
    problem.hidden = !words;
    if (!words) return;
    problem.replaceChildren(
      el("span", {}, words),
      el(
        "button",
        { class: "link", type: "button", on: { click: () => actions.reloadLessons(tense) } },
        "Try again",
      ),
    );
  }
}

const rows = new WeakMap(); // row element → how to bring it up to date

function createRow(open) {
  const title = el("span", { class: "lesson-title", dir: "auto" });
  const when = el("time", { class: "lesson-when" });
  const about = el("span", { class: "lesson-about", dir: "auto" });
  const outcome = el("span", { class: "lesson-outcome" });
  const button = el(
    "button",
    { class: "lesson-row", type: "button", "aria-haspopup": "dialog", on: { click: open } },
    when,
    el("span", { class: "lesson-what" }, title, about, outcome),
  );
  const row = el("li", {}, button);
  rows.set(row, (state, booking, now) => {
    const other = state.conversations[booking.conversation_id]?.other.display_name ?? null;
    when.dateTime = booking.starts_at;
    when.title = inFull(booking.starts_at);
    setText(when, dayAndHour(booking.starts_at, now));
    setText(title, titleOf(booking));
    const { duration_minutes, price_cents, currency } = booking;
    const parts = [other && `With ${other}`, `${duration_minutes} min`, moneyOf(price_cents, currency)];
    setText(about, parts.filter(Boolean).join(" · "));
    setText(outcome, outcomeOf(booking, state.me, other, now) ?? "");
    button.classList.toggle("is-cancelled", booking.status === "cancelled");
  });
  return row;
}
