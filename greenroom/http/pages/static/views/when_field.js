/** Entering when a lesson begins: a date and a time by the reader's clock or by that of another zone, which it names. */

import { asSentence } from "../api.js";
import { el, setText } from "../dom.js";
import { dayAndHour, fieldsOf, momentOf, zoneInWords, zoneName } from "../times.js";

const SKIPPED = "Clocks go forward in that hour, so that time does not exist on that day.";

/**
 * @param name a word that no other such field on the page has.
 * @param changed called when another moment was entered.
 */
export function createWhenField({ name, changed = () => {} }) {
  const problem = el("span", { class: "field-problem", id: `${name}-problem`, role: "alert" });
  const hint = el("span", { class: "hint", id: `${name}-hint` });
  const described = { "aria-describedby": `${hint.id} ${problem.id}`, on: { input: onInput } };
  const date = el("input", { class: "input", type: "date", id: `${name}-date`, required: true, ...described });
  const time = el("input", { class: "input", type: "time", id: `${name}-time`, required: true, ...described });
  const inputs = [date, time];
  const element = el(
    "div",
    { class: "field" },
    el(
      "div",
      { class: "when" },
      el("label", { htmlFor: date.id }, "Date"),
      el("label", { htmlFor: time.id }, "Start time"),
      date,
      time,
    ),
    hint,
    problem,
  );

  let zone = null; // by whose clock; null for the reader's
  let wish = ""; // what is looked for, in words

  function onInput() {
    refuse(null);
    explain();
    changed();
  }

  /** @param words null for nothing. */
  function refuse(words, wrong = inputs) {
    setText(problem, words ? asSentence(words) : "");
    for (const input of inputs)
      input.setAttribute("aria-invalid", String(Boolean(words) && wrong.includes(input)));
  }

  const entered = () => momentOf({ date: date.value, time: time.value }, zone);

  /** By which clock it is, and when that is by the reader's. */
  function explain() {
    const moment = entered();
    const clock = zone
      ? `By the instructor’s clock in ${zoneInWords(zone)} (${zone}).${moment ? ` For you in ${zoneName()}: ${dayAndHour(moment)}.` : ""}`
      : `In your time zone, ${zoneName()}.`;
    setText(hint, wish ? `You looked for: ${wish}. ${clock}` : clock);
  }

  return {
    element,
    refuse,
    focus: () => date.focus(),

    /**
     * Show a moment, or with null none.
     *
     * @param by `zone`: the name of the zone by whose clock it is entered, null for the reader's own; `wish`: what is looked for, in words.
     */
    set(moment, by = {}) {
      zone = by.zone ?? null;
      wish = by.wish ?? "";
      const fields = moment ? fieldsOf(moment, zone) : { date: "", time: "" };
      date.value = fields.date;
      time.value = fields.time;
      date.min = fieldsOf(new Date(), zone).date;
      explain();
      refuse(null);
    },

    /** The moment entered, or null. */
    get moment() {
      return entered();
    },

    /** Show what is wrong with what was entered; return whether nothing is. */
    check() {
      const wrong = inputs.filter(({ validity }) => !validity.valid);
      if (wrong.length) refuse(wrong[0].validationMessage, wrong);
      else refuse(entered() ? null : SKIPPED);
      return problem.textContent === "";
    },
  };
}

/** Refusals that are about when a lesson begins, in words for beside that field; null for others. */
export function refusedTime(error) {
  if (error.code === "slot_taken") return error.message;
  return error.faults.find(({ field }) => field === "starts_at")?.words ?? null;
}
