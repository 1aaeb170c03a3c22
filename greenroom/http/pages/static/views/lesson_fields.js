/** The fields of one lesson that an instructor offers. */

import { el } from "../dom.js";
import { field } from "./field.js";

/** The server's bounds. */
const TITLE_LENGTH_MAX = 120;
const DESCRIPTION_LENGTH_MAX = 2_000;
const MINUTES_MIN = 15;
const MINUTES_MAX = 480;
const AGE_MAX = 120;
const PRICE_MAX = 10_000;

const LEVELS = { beginner: "Beginners", intermediate: "Intermediate", advanced: "Advanced" };

const CURRENCY = "USD";

let count = 0; // makes ids that differ

/**
 * @param lesson what is offered now, or null for a new one.
 * @param categories kinds of lessons, `{ slug, name, group }`.
 * @param remove called when it is to be offered no more.
 * @returns `{ element, check, value, refuse, focus }`; `value()` is what the server takes; `refuse(field, words)` says whether
 *   there is such a field to show the words beside.
 */
export function createLessonFields(lesson, { categories, remove }) {
  const name = `lesson-${++count}`;
  const named = (part) => ({ name: `${name}-${part}` });
  const title = field("Title", {
    ...named("title"),
    required: true,
    maxLength: TITLE_LENGTH_MAX,
    dir: "auto",
    value: lesson?.title ?? "",
  });
  const description = field(
    "Description",
    { ...named("description"), rows: 3, maxLength: DESCRIPTION_LENGTH_MAX, dir: "auto" },
    "textarea",
  );
  description.input.value = lesson?.description ?? "";
  const category = field("Kind of lesson", named("category"), "select");
  category.input.append(el("option", { value: "" }, "Something else"), ...groupsOf(categories));
  category.input.value = lesson?.category ?? "";
  const currency = lesson?.currency ?? CURRENCY;
  const price = number(`Price in ${currency}`, named("price"), {
    min: 0,
    max: PRICE_MAX,
    step: "0.01",
    value: lesson ? lesson.price_cents / 100 : "",
  });
  const minutes = number("Minutes", named("minutes"), {
    min: MINUTES_MIN,
    max: MINUTES_MAX,
    value: lesson?.duration_minutes ?? 60,
  });
  const ageMin = number("From age", named("age-min"), { value: lesson?.ages?.min ?? "", required: false });
  const ageMax = number("To age", named("age-max"), { value: lesson?.ages?.max ?? "", required: false });
  const levels = Object.entries(LEVELS).map(([level, words]) => ({
    level,
    ...choice(words, lesson?.levels.includes(level) ?? false),
  }));
  const inPerson = choice("In person", lesson?.in_person ?? true);
  const online = choice("Online", lesson?.online ?? false);
  const element = el(
    "fieldset",
    { class: "offer-lesson" },
    el("legend", {}, lesson?.title ?? "New lesson"),
    title.element,
    description.element,
    category.element,
    el("div", { class: "offer-pair" }, price.element, minutes.element),
    el("div", { class: "offer-pair" }, ageMin.element, ageMax.element),
    choices("Levels (none means any)", levels),
    choices("Where", [inPerson, online]),
    el("button", { class: "link quiet", type: "button", on: { click: remove } }, "Offer it no more"),
  );
  const byName = {
    title,
    description,
    category,
    price_cents: price,
    duration_minutes: minutes,
    ages: ageMax,
    min: ageMin,
    max: ageMax,
  };

  return {
    element,
    check: () =>
      ![title, description, category, price, minutes, ageMin, ageMax].map((one) => one.check()).includes(false),
    refuse(part, words) {
      byName[part]?.refuse(words);
      return part in byName;
    },
    focus: () => title.input.focus(),
    value() {
      const min = numberOf(ageMin);
      const max = numberOf(ageMax);
      return {
        ...(lesson && { id: lesson.id }),
        title: title.input.value,
        description: description.input.value,
        category: category.input.value || null,
        price_cents: Math.round(price.input.valueAsNumber * 100),
        currency,
        duration_minutes: minutes.input.valueAsNumber,
        levels: levels.filter(({ input }) => input.checked).map(({ level }) => level),
        ages: min === null && max === null ? null : { min, max },
        in_person: inPerson.input.checked,
        online: online.input.checked,
      };
    },
  };
}

function groupsOf(categories) {
  const groups = new Map();
  for (const kind of categories) groups.set(kind.group, [...(groups.get(kind.group) ?? []), kind]);
  return [...groups].map(([group, kinds]) =>
    el("optgroup", { label: group }, ...kinds.map(({ slug, name }) => el("option", { value: slug }, name))),
  );
}

function number(label, names, { min = 0, max = AGE_MAX, step = "1", value, required = true }) {
  return field(label, {
    ...names,
    type: "number",
    inputMode: "decimal",
    min: String(min),
    max: String(max),
    step,
    required,
    value: String(value),
  });
}

const numberOf = ({ input }) => (input.value === "" ? null : input.valueAsNumber);

/** A box to tick. */
function choice(words, checked) {
  const input = el("input", { type: "checkbox", checked });
  return { input, element: el("label", { class: "choice" }, input, words) };
}

function choices(label, boxes) {
  return el(
    "fieldset",
    { class: "choices" },
    el("legend", {}, label),
    ...boxes.map(({ element }) => element),
  );
}
