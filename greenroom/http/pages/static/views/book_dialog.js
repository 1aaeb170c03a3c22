/** Booking a lesson with the instructor of a conversation: which, when, how long, and what it costs, before it is done. */

import { ApiError } from "../api.js";
import { el, setText } from "../dom.js";
import { firstMoment, hoursInWords, isWithinHours, zoneOf } from "../free_times.js";
import { moneyOf, priceOf, rateOf } from "../money.js";
import { dayAndHour, spanOf, zoneInWords } from "../times.js";
import { field } from "./field.js";
import { smallDialog } from "./small_dialog.js";
import { createWhenField, refusedTime } from "./when_field.js";

/** The server's bounds. */
const MINUTES_MIN = 15;
const MINUTES_MAX = 480;
const NOTE_LENGTH_MAX = 1_000;
/** Offered besides the length the price is for. */
const LENGTHS = [30, 45, 60, 90, 120];

/**
 * @param profile `(instructorId)` resolves to what they offer and when they are free.
 * @param book `(order)` resolves to the booking; both reject with an ApiError.
 * @param booked called with the booking, in words.
 */
export function createBookDialog({ profile, book, booked }) {
  const service = field("Lesson", { name: "service", required: true }, "select");
  const when = createWhenField({ name: "book", changed: showCost });
  const length = field("Length in minutes", {
    name: "length",
    type: "number",
    inputMode: "numeric",
    min: String(MINUTES_MIN),
    max: String(MINUTES_MAX),
    step: "1",
    required: true,
  });
  const lengths = el("datalist", { id: "lengths" });
  length.input.setAttribute("list", lengths.id);
  const note = field(
    "Note (optional)",
    {
      name: "note",
      rows: 2,
      maxLength: NOTE_LENGTH_MAX,
      dir: "auto",
      placeholder: "What should be known beforehand?",
    },
    "textarea",
  );
  const hours = el("p", { class: "hint book-hours" });
  const outside = el("p", { class: "book-outside", role: "status" });
  const span = el("span", { class: "cost-when" });
  const price = el("strong", { class: "cost-price" });
  const cost = el("p", { class: "cost", role: "status", "aria-live": "polite" }, span, price);
  const problem = el("p", { class: "form-problem", role: "alert" });
  const confirm = el("button", { class: "button primary wide", type: "submit" });
  const form = el(
    "form",
    { class: "lesson-form", noValidate: true, on: { submit: onSubmit } },
    service.element,
    when.element,
    hours,
    outside,
    length.element,
    lengths,
    note.element,
    cost,
    problem,
    confirm,
  );
  const status = el("p", { class: "dialog-status", role: "status" });
  const title = el("h2", { class: "dialog-title", id: "book-title" });
  const element = smallDialog(title, el("div", { class: "dialog-scroller" }, status, form));
  service.input.addEventListener("change", chooseService);
  length.input.addEventListener("input", showCost);

  let instructor = null;
  let wanted = null; // id of the service to begin with
  let asked = null; // when the lesson is wanted: `{ times, denied_times, words }`
  let told = {}; // the instructor's profile
  let offered = [];

  const chosen = () => offered.find(({ id }) => id === service.input.value);

  /**
   * @param serviceId what is chosen at first, if it is still offered.
   * @param time when it is wanted, as a search understood it, with `words` for that: the first such time is proposed. Null for any.
   */
  async function open(other, { serviceId = null, time = null } = {}) {
    instructor = other;
    wanted = serviceId;
    asked = time;
    told = {};
    offered = [];
    setText(title, `Book with ${other.display_name}`);
    setText(status, "Loading …");
    form.hidden = true;
    element.showModal();
    try {
      const found = await profile(other.id);
      if (instructor !== other) return;
      told = found;
      offered = found.services;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(status, error.message);
      return;
    }
    setText(status, offered.length ? "" : `${other.display_name} does not offer any lessons yet.`);
    if (offered.length) begin();
  }

  function begin() {
    service.input.replaceChildren(
      ...offered.map((one) => el("option", { value: one.id }, `${one.title} (${rateOf(one)})`)),
    );
    if (offered.some(({ id }) => id === wanted)) service.input.value = wanted;
    when.set(firstMoment(told, asked, chosen().duration_minutes, new Date()), { zone: zoneOf(told), wish: asked?.words });
    const free = hoursInWords(told);
    const clock = zoneOf(told) ? `, by the clock in ${zoneInWords(told.timezone)}` : "";
    setText(hours, free && `${told.display_name} is free every week: ${free}${clock}. What is booked already is not shown here.`);
    note.input.value = "";
    form.hidden = false;
    chooseService();
    service.input.focus();
  }

  function chooseService() {
    const { description, duration_minutes } = chosen();
    setText(service.hint, description);
    length.input.value = String(duration_minutes);
    length.refuse(null);
    const choices = [...new Set([...LENGTHS, duration_minutes])].sort((a, b) => a - b);
    lengths.replaceChildren(...choices.map((minutes) => el("option", { value: String(minutes) })));
    showCost();
  }

  /** What will be agreed on, kept in step with what is entered. */
  function showCost() {
    problem.textContent = "";
    const minutes = length.input.validity.valid ? length.input.valueAsNumber : null;
    const start = when.moment;
    const isWhole = minutes !== null && start !== null && chosen() !== undefined;
    const words = isWhole ? moneyOf(priceOf(chosen(), minutes), chosen().currency) : "";
    cost.hidden = !isWhole;
    setText(price, words);
    setText(span, isWhole ? spanOf(start, new Date(start.getTime() + minutes * 60_000), zoneOf(told)) : "");
    const isOutside = isWhole && isWithinHours(told, start, minutes) === false;
    setText(outside, isOutside ? `That is outside ${told.display_name}’s usual hours. You may book it all the same; better ask first.` : "");
    setText(confirm, words ? `Book for ${words}` : "Book");
  }

  async function onSubmit(event) {
    event.preventDefault();
    if (confirm.disabled) return;
    problem.textContent = "";
    // All of them, so that everything that is wrong is seen at once.
    const checks = [service.check(), when.check(), length.check(), note.check()];
    if (checks.includes(false)) {
      focusFault();
      return;
    }
    confirm.disabled = true;
    try {
      const booking = await book({
        instructor_id: instructor.id,
        service_id: service.input.value,
        starts_at: when.moment.toISOString(),
        duration_minutes: length.input.valueAsNumber,
        note: note.input.value.trim() || null,
      });
      element.close();
      booked(`Booked: ${booking.title}, ${dayAndHour(booking.starts_at)}.`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      explain(error);
    } finally {
      confirm.disabled = false;
    }
  }

  /** Beside the fields that caused it, and what concerns none of them above the button. */
  function explain(error) {
    const time = refusedTime(error);
    if (time) when.refuse(time);
    const fields = { service_id: service, duration_minutes: length, note };
    const told = error.faults.filter((fault) => fields[fault.field]);
    for (const fault of told) fields[fault.field].refuse(fault.words);
    if (!time && !told.length) problem.textContent = error.message;
    focusFault();
  }

  const focusFault = () => form.querySelector("[aria-invalid=true]")?.focus();

  return { element, open };
}
