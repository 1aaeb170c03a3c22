/** What an instructor teaches, where and when: read, changed, and put back as a whole. */

import { ApiError } from "../api.js";
import { el, setText } from "../dom.js";
import { createAreaPicker } from "./area_picker.js";
import { field } from "./field.js";
import { createLessonFields } from "./lesson_fields.js";
import { smallDialog } from "./small_dialog.js";
import { createWeekFields } from "./week_fields.js";

/** The server's bounds. */
const BIO_LENGTH_MAX = 2_000;
const LESSONS_MAX = 50;

/**
 * @param profile `()` resolves to one's own; `categories`, `findRegions` and `save` are the requests; all reject with an ApiError.
 * @param saved called once what was entered is stored.
 */
export function createOfferDialog({ profile, categories, findRegions, save, saved }) {
  const bio = field("About me", { name: "bio", rows: 2, maxLength: BIO_LENGTH_MAX, dir: "auto" }, "textarea");
  const lessonList = el("div", { class: "offer-lessons" });
  const addLesson = el("button", { class: "link", type: "button", on: { click: onAdd } }, "Add a lesson");
  const areas = createAreaPicker({ find: findRegions });
  const week = createWeekFields();
  const problem = el("p", { class: "form-problem", role: "alert" });
  const confirm = el("button", { class: "button primary wide", type: "submit" }, "Save");
  const form = el(
    "form",
    { class: "lesson-form", noValidate: true, on: { submit: onSubmit } },
    bio.element,
    lessonList,
    addLesson,
    areas.element,
    week.element,
    problem,
    confirm,
  );
  const status = el("p", { class: "dialog-status", role: "status" });
  const title = el("h2", { class: "dialog-title", id: "offer-title" }, "What I teach");
  const element = smallDialog(title, el("div", { class: "dialog-scroller" }, status, form));
  let kinds = null;
  let lessons = [];

  async function open() {
    form.hidden = true;
    setText(status, "Loading …");
    element.showModal();
    try {
      kinds ??= await categories();
      begin(await profile());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(status, error.message);
    }
  }

  function begin(told) {
    setText(status, "");
    problem.textContent = "";
    bio.input.value = told.bio;
    lessons = [];
    lessonList.replaceChildren();
    for (const service of told.services) push(service);
    areas.set(told.areas);
    week.set(told.availability, told.timezone);
    addLesson.hidden = lessons.length >= LESSONS_MAX;
    form.hidden = false;
    bio.input.focus();
  }

  function push(service) {
    const lesson = createLessonFields(service, {
      categories: kinds,
      remove() {
        lessons = lessons.filter((other) => other !== lesson);
        lesson.element.remove();
        addLesson.hidden = false;
        addLesson.focus();
      },
    });
    lessons.push(lesson);
    lessonList.append(lesson.element);
    return lesson;
  }

  function onAdd() {
    push(null).focus();
    addLesson.hidden = lessons.length >= LESSONS_MAX;
  }

  async function onSubmit(event) {
    event.preventDefault();
    if (confirm.disabled) return;
    problem.textContent = "";
    const checks = [bio.check(), ...lessons.map((lesson) => lesson.check()), week.check()];
    if (checks.includes(false)) {
      focusFault();
      return;
    }
    confirm.disabled = true;
    try {
      await save({
        bio: bio.input.value,
        services: lessons.map((lesson) => lesson.value()),
        areas: areas.value(),
        availability: week.value(),
      });
      element.close();
      saved();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      explain(error);
    } finally {
      confirm.disabled = false;
    }
  }

  /** Beside the field that caused it, and the rest above the button. */
  function explain(error) {
    const rest = error.faults.filter(({ path, field: name, words }) => {
      const [, part, place] = path;
      return part !== "services" || !lessons[place]?.refuse(name, words);
    });
    if (rest.length || !error.faults.length) problem.textContent = error.message;
    focusFault();
  }

  const focusFault = () => form.querySelector("[aria-invalid=true]")?.focus();

  return { element, open };
}
