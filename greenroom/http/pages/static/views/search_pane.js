/** Looking for lessons in one's own words: the field, what was understood, what was found. */

import { el, setText } from "../dom.js";
import { placeIcon, searchIcon } from "../icons.js";
import { countOf, farNote, isOfAnyCity, pieceInWords, saysNearMe, understoodOf, wasCutShort } from "../search_words.js";
import { addressOfSearch, SENTENCE_LENGTH_MAX, without } from "../sentence.js";
import { paneHeader } from "./pane_header.js";
import { createSearchCard } from "./search_card.js";
import { sideways } from "./sideways.js";
import { createUnderstood } from "./search_understood.js";

const EXAMPLES = [
  "piano for my 8 year old in park slope",
  "math tutor under $60 on weekends",
  "spanish online after 6pm",
  "guitar for beginners near williamsburg",
];
/** Cards that stand for what is on its way, as high as real ones: about a screen. */
const SKELETONS = 3;
/** Cities to choose from with one press; the field above the answer lists all. */
const CITIES_MAX = 8;
/** A position that is a few minutes old will do: lessons are kilometres away. */
const POSITION_OPTIONS = { maximumAge: 300_000, timeout: 10_000 };
/** About 100 m: enough for a distance, and no more than that is anybody's business. */
const DEGREES_DIGITS = 3;

/**
 * @param me who looks: only students are offered to write and to book.
 * @param actions `{ search(asked), again, more, lookNear(near), write(result), book(result) }`
 */
export function createSearchPane(me, actions) {
  const field = el("input", {
    class: "input search-field",
    type: "search",
    name: "q",
    id: "search-sentence",
    maxLength: SENTENCE_LENGTH_MAX,
    placeholder: "What would you like to learn, where, when?",
    autocomplete: "off",
    enterKeyHint: "search",
    dir: "auto",
  });
  const submit = el("button", { class: "button primary", type: "submit" }, "Search");
  const city = el("select", { class: "input search-city", "aria-label": "City", hidden: true, on: { change: onSubmit } });
  const near = el(
    "button",
    { class: "button quiet search-near", type: "button", "aria-pressed": "false", on: { click: onNear } },
    placeIcon(),
    "Near me",
  );
  const nearProblem = el("p", { class: "search-note is-degraded", role: "alert", hidden: true });
  const form = el(
    "form",
    { class: "search-form", role: "search", noValidate: true, on: { submit: onSubmit } },
    el("label", { class: "visually-hidden", htmlFor: field.id }, "What are you looking for?"),
    el("div", { class: "search-line" }, el("div", { class: "search" }, searchIcon(), field), submit),
    el("div", { class: "search-options" }, city, near),
    nearProblem,
  );
  const examples = el(
    "section",
    { class: "search-start", "aria-label": "Examples" },
    el("p", { class: "empty-title" }, "Say it in your own words"),
    el("p", { class: "empty-words" }, "Who it is for, where, when and for how much: whatever matters to you."),
    el(
      "ul",
      { class: "examples" },
      ...EXAMPLES.map((text) => el("li", {}, el("a", { class: "example", href: addressOfSearch({ text }) }, text))),
    ),
  );
  const understood = createUnderstood({ look: (text) => actions.search({ text, city: asked.city }) });
  const whereWords = el("span", {});
  const whereNear = el("button", { class: "choice", type: "button", on: { click: onNear } }, "Use where I am");
  const whereCities = sideways(el("div", { class: "place-choices", hidden: true }));
  const where = el("div", { class: "search-note where", hidden: true }, whereWords, whereNear, whereCities);
  const count = el("p", { class: "search-count", role: "status", tabIndex: -1 });
  const problem = el("div", { class: "thread-problem", role: "alert", hidden: true });
  const list = el("ul", { class: "found-list", "aria-label": "Lessons found" });
  const nothing = el("section", { class: "list-empty", hidden: true });
  const more = el("button", { class: "button small search-more", type: "button", on: { click: onMore } }, "Show more");
  const skeletons = el(
    "div",
    { class: "found-list", "aria-hidden": "true" },
    ...Array.from({ length: SKELETONS }, () => el("div", { class: "found is-skeleton" })),
  );
  const title = el("h2", { class: "lessons-title", tabIndex: -1 }, "Find lessons");
  const element = el(
    "main",
    { class: "pane-thread", hidden: true },
    el(
      "section",
      { class: "thread", "aria-label": "Find lessons" },
      paneHeader(searchIcon(), [title]),
      el(
        "div",
        { class: "lessons-scroller" },
        el(
          "div",
          { class: "lessons-column search-column" },
          form,
          examples,
          understood.element,
          where,
          count,
          problem,
          skeletons,
          list,
          nothing,
          more,
        ),
      ),
    ),
  );

  let asked = { text: "", city: null };
  let isLocating = false; // the browser was asked where it is
  let position = null; // whether and from where is looked
  let shown = null; // the answer on the page
  let citiesShown = null;
  let focusFrom = null; // after a page was asked for: where in the list the next one begins

  function onSubmit(event) {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) {
      field.focus();
      return;
    }
    // A touch screen's keyboard would cover what was found.
    if (matchMedia("(pointer: coarse)").matches) field.blur();
    actions.search({ text, city: city.value || null });
  }

  function onNear() {
    setNearProblem(null);
    if (position) {
      actions.lookNear(null);
      return;
    }
    if (isLocating) return;
    isLocating = true; // and not disabled: that would take the keyboard off the button
    const settled = (words) => {
      isLocating = false;
      setNearProblem(words);
    };
    if (!navigator.geolocation) {
      settled("This browser does not tell where you are.");
      return;
    }
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        settled(null);
        actions.lookNear({ lat: rounded(coords.latitude), lng: rounded(coords.longitude) });
      },
      (error) =>
        settled(
          error.code === error.PERMISSION_DENIED
            ? "Your browser does not let this page know where you are. Name the place instead."
            : "Where you are could not be found out. Name the place instead.",
        ),
      POSITION_OPTIONS,
    );
  }

  function setNearProblem(words) {
    nearProblem.hidden = !words;
    setText(nearProblem, words ?? "");
  }

  function onMore() {
    focusFrom = shown.results.length;
    actions.more();
  }

  function showCities(cities) {
    if (cities === citiesShown) return;
    citiesShown = cities;
    city.replaceChildren(
      el("option", { value: "" }, "Any city"),
      ...cities.map(({ id, name }) => el("option", { value: id }, name)),
    );
    // Of one there is nothing to choose.
    city.hidden = cities.length < 2;
    if (shown) showWhere(shown);
    city.value = asked.city ?? "";
  }

  function showAnswer(answer) {
    if (answer === shown) return;
    const isExtension = shown !== null && answer !== null && shown.of === answer.of && list.childElementCount > 0;
    const from = isExtension ? shown.results.length : 0;
    shown = answer;
    if (answer === null) {
      list.replaceChildren();
      return;
    }
    const whence = { isPositionKnown: nearOf(answer) !== null, cities: citiesShown ?? [] };
    const cards = answer.results
      .slice(from)
      .map((result) => el("li", {}, createSearchCard(result, answer.meta, whence, me.role === "student" ? actions : null)));
    if (isExtension) list.append(...cards);
    else list.replaceChildren(...cards);
    if (isExtension && focusFrom === from) cards[0]?.querySelector(".found-title").focus();
    if (!isExtension) {
      understood.show(sentenceOf(answer), answer.meta, citiesShown ?? []);
      showNothing(answer);
    }
    showWhere(answer);
    focusFrom = null;
  }

  /**
   * Near whom: "near me" without a position asks for it, a position that is far from everybody is told, and who names no place is
   * offered the cities: distances and prices of several don't compare.
   */
  function showWhere({ results, meta, cursor, of }) {
    const isUnknown = nearOf({ of }) === null;
    const asksFor = isUnknown && results.length > 0 && saysNearMe(meta);
    const cities = isUnknown && cityOf({ of }) === null && isOfAnyCity(results, meta) ? (citiesShown ?? []) : [];
    const offersCities = cities.length > 1;
    const words = asksFor
      ? "This page does not know where you are, so lessons anywhere are shown."
      : isUnknown
        ? offersCities && "No place was named, so lessons of any city are shown. Choose one:"
        : farNote(results, meta, { isAll: !cursor });
    where.classList.toggle("is-degraded", !asksFor && !offersCities);
    where.hidden = !words;
    whereNear.hidden = !asksFor;
    whereCities.hidden = !offersCities;
    setText(whereWords, words || "");
    whereCities.replaceChildren(
      ...cities.slice(0, CITIES_MAX).map(({ id, name }) =>
        el(
          "button",
          { class: "choice", type: "button", on: { click: () => actions.search({ text: sentenceOf({ of }), city: id }) } },
          name,
        ),
      ),
    );
  }

  /** Nothing fits: what could be left out. */
  function showNothing(answer) {
    const { results, meta, of } = answer;
    nothing.hidden = results.length > 0;
    if (results.length > 0) return;
    if (wasCutShort(answer)) {
      nothing.replaceChildren(
        el("p", { class: "empty-title" }, "There was no time to look"),
        el("p", { class: "empty-words" }, "There may be lessons that fit all the same."),
        el("button", { class: "button primary", type: "button", on: { click: actions.again } }, "Search again"),
      );
      return;
    }
    const sentence = sentenceOf({ of });
    const pieces = understoodOf(meta).filter(({ kind }) => kind !== "service");
    nothing.replaceChildren(
      el("p", { class: "empty-title" }, "Nothing fits all of that"),
      el("p", { class: "empty-words" }, pieces.length ? "Try it without one of these:" : "Try it in other words."),
      el(
        "div",
        { class: "search-note is-choices" },
        ...pieces.map(({ parts, ...piece }) =>
          el(
            "button",
            { class: "choice", type: "button", on: { click: () => actions.search({ text: without(sentence, parts), city: asked.city }) } },
            `Without ${pieceInWords(piece)}`,
          ),
        ),
      ),
    );
  }

  /** What the keyboard was on is gone: go on from where the answer begins. */
  function rest() {
    const place = problem.hidden ? [count, field].find(({ hidden }) => !hidden) : problem.querySelector("button");
    place.focus({ preventScroll: true });
  }

  function showProblem(words, isExtending) {
    problem.hidden = !words;
    if (!words) return;
    problem.replaceChildren(
      el("span", {}, words),
      el("button", { class: "link", type: "button", on: { click: isExtending ? onMore : actions.again } }, "Try again"),
    );
  }

  return {
    element,
    focus: () => field.focus({ preventScroll: true }),
    update({ search }) {
      element.hidden = search.asked === null;
      if (element.hidden) return;
      const held = element.contains(document.activeElement) ? document.activeElement : null;
      if (search.asked !== asked) {
        asked = search.asked;
        field.value = asked.text;
        city.value = asked.city ?? "";
        setNearProblem(null); // what the browser would not tell was of the search before
      }
      position = search.near;
      near.setAttribute("aria-pressed", String(position !== null));
      showCities(search.cities);
      const { status, answer } = search;
      const isStart = status === "idle";
      const isBusy = status === "asking" || status === "waiting";
      const shownAnswer = isStart || status === "failed" ? null : answer;
      showAnswer(shownAnswer);
      examples.hidden = !isStart;
      understood.element.hidden = shownAnswer === null;
      if (shownAnswer === null) where.hidden = true;
      skeletons.hidden = !(isBusy && shownAnswer === null);
      list.hidden = shownAnswer === null;
      if (shownAnswer === null) nothing.hidden = true;
      else nothing.hidden = shownAnswer.results.length > 0;
      element.classList.toggle("is-busy", isBusy);
      list.setAttribute("aria-busy", String(isBusy));
      count.hidden = isStart;
      setText(count, countInWords(search));
      showProblem(search.problem, status === "answered");
      more.hidden = status !== "answered" || !answer.cursor;
      more.disabled = search.isExtending;
      setText(more, search.isExtending ? "Loading …" : "Show more");
      if (held && !held.checkVisibility() && [held, document.body].includes(document.activeElement)) rest();
    },
  };
}

function countInWords({ status, waitS, answer }) {
  if (status === "asking") return "Searching …";
  if (status === "waiting") return `Many people are searching just now. Trying again in ${Math.ceil(waitS)} s …`;
  if (status !== "answered") return "";
  if (wasCutShort(answer)) return "";
  return countOf(answer.results.length, answer.meta.total_candidates, { isAll: !answer.cursor });
}

/** In which city was looked; null for any. */
const cityOf = ({ of }) => JSON.parse(of)[1];

/** The sentence an answer belongs to, as it was typed: positions of its pieces count in that one. */
const sentenceOf = ({ of }) => JSON.parse(of)[0];

/** From where an answer was asked for; null for wherever the sentence says. */
const nearOf = ({ of }) => JSON.parse(of)[2];

const rounded = (degrees) => Number(degrees.toFixed(DEGREES_DIGITS));
