/** One lesson that was found. */

import { el } from "../dom.js";
import { rateOf } from "../money.js";
import { answersIn, levelsOf, placeOf, reasonsOf, wayTo, yearsOf } from "../search_words.js";
import { avatar } from "./avatar.js";

/** Names of areas on a card; more say less. */
const AREAS_MAX = 4;
/** What stands for what could not be read in time. */
const UNREAD = { title: "A lesson", name: "An instructor" };

/**
 * @param meta of the answer it is part of.
 * @param where `{ isPositionKnown, cities }`: whether the asker's position was told, and the cities that have a name here.
 * @param actions `{ write(result), book(result) }`, both resolve when done; null for who only looks.
 */
export function createSearchCard(result, meta, where, actions) {
  const { instructor } = result;
  const name = instructor.display_name ?? UNREAD.name;
  const title = result.title ?? UNREAD.title;
  const heading = el("h3", { class: "found-title", id: `found-${result.service_id}`, tabIndex: -1, dir: "auto" }, title);
  const person = [instructor.rating !== null && ratingOf(instructor.rating), words("found-soon", answersIn(instructor.response_minutes))];
  const facts = [
    placeOf(result),
    result.levels.length && levelsOf(result.levels),
    result.ages && yearsOf(result.ages),
    wayTo(result, meta, where),
  ].filter(Boolean);
  return el(
    "article",
    { class: "found", "aria-labelledby": heading.id },
    el(
      "header",
      { class: "found-head" },
      avatar({ id: instructor.id, display_name: name }),
      el(
        "div",
        { class: "found-who" },
        heading,
        el("p", { class: "found-person" }, el("span", { class: "found-name", dir: "auto" }, name), ...person),
      ),
      result.currency && el("p", { class: "found-price" }, rateOf(result)),
    ),
    result.description && el("p", { class: "found-description", dir: "auto" }, result.description),
    el("ul", { class: "found-facts", "aria-label": "Facts" }, ...facts.map((fact) => el("li", {}, fact))),
    instructor.areas.length > 0 && result.in_person && words("found-areas", `Comes to ${areasOf(instructor.areas, meta)}`),
    el(
      "footer",
      { class: "found-foot" },
      words("found-why", reasonsOf(result, meta)),
      actions && button("Message", `Message ${name}`, "button quiet small", () => actions.write(result)),
      actions && button("Book", `Book ${title} with ${name}`, "button primary small", () => actions.book(result)),
    ),
  );
}

const words = (style, text) => (text ? el("span", { class: style }, text) : null);

function ratingOf(rating) {
  const value = rating.toLocaleString(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  return el(
    "span",
    { class: "found-rating" },
    el("span", { "aria-hidden": "true" }, `★ ${value}`),
    el("span", { class: "visually-hidden" }, `rated ${value} of 5`),
  );
}

/** What was asked for first, then the others, and what is not wanted last. */
function areasOf(areas, { location }) {
  const asked = new Set(location.regions.map(({ name }) => name));
  const denied = new Set(location.excluded.map(({ name }) => name));
  const ordered = [...areas].sort((a, b) => denied.has(a) - denied.has(b) || asked.has(b) - asked.has(a));
  const more = ordered.length - AREAS_MAX;
  return ordered.slice(0, AREAS_MAX).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function button(label, name, style, act) {
  const element = el("button", { class: style, type: "button", "aria-label": name, on: { click: onClick } }, label);

  async function onClick() {
    if (element.disabled) return;
    element.disabled = true;
    try {
      await act();
    } finally {
      element.disabled = false;
    }
  }

  return element;
}
