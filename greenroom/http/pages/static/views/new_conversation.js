/** Choosing an instructor and saying the first words. */

import { ApiError } from "../api.js";
import { el, setText } from "../dom.js";
import { backIcon, closeIcon, searchIcon, sendIcon } from "../icons.js";
import { rateOf } from "../money.js";
import { avatarWithPresence } from "./avatar.js";
import { CONTENT_LENGTH_MAX } from "./composer.js";

const PAGE = 100;

/** Without a keystroke, before the server is asked for a name: a pause that typing makes only at its end. */
const LOOK_UP_AFTER_MS = 250;

/**
 * @param instructors `({ limit, cursor, name })` resolves to a page; of those with `name` in their name, if it is given.
 * @param begin `(instructor, content)` resolves once the conversation is open; rejects with an ApiError.
 */
export function createNewConversation({ instructors, begin }) {
  const title = el("h2", { class: "dialog-title" });
  const back = el(
    "button",
    { class: "icon-button", type: "button", "aria-label": "Back to the list", on: { click: showList } },
    backIcon(),
  );
  const close = el(
    "button",
    { class: "icon-button", type: "button", "aria-label": "Close", on: { click: () => element.close() } },
    closeIcon(),
  );
  const search = el("input", {
    class: "input",
    type: "search",
    placeholder: "Name or subject",
    "aria-label": "Search by name or subject",
    on: { input: onSought },
  });
  const list = el("ul", { class: "instructors" });
  const more = el("button", { class: "link", type: "button", hidden: true, on: { click: loadPage } }, "Show more");
  const status = el("p", { class: "dialog-status", role: "status" });
  const choose = el(
    "div",
    { class: "dialog-choose" },
    el("div", { class: "search" }, searchIcon(), search),
    el("div", { class: "instructors-scroller" }, list, more, status),
  );

  const chosenCard = el("div", { class: "chosen" });
  const words = el("textarea", {
    class: "input first-words",
    rows: 5,
    maxLength: CONTENT_LENGTH_MAX,
    dir: "auto",
    id: "first-words",
    required: true,
    on: { keydown: onKeyDown },
  });
  const problem = el("p", { class: "form-problem", role: "alert" });
  const sendWords = el("span", {}, "Send");
  const send = el("button", { class: "button primary", type: "submit" }, sendWords, sendIcon());
  const compose = el(
    "form",
    { class: "dialog-compose", on: { submit: onSubmit } },
    chosenCard,
    el("label", { htmlFor: "first-words" }, "Your message"),
    words,
    problem,
    send,
  );

  const element = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "new-conversation-title" },
    el("header", { class: "dialog-header" }, back, title, close),
    choose,
    compose,
  );
  title.id = "new-conversation-title";

  let known = [];
  let cursor = null;
  let lookUpTimer = null;
  let isLooking = false;
  let chosen = null;

  async function open() {
    clearTimeout(lookUpTimer);
    isLooking = false;
    known = [];
    cursor = null;
    search.value = "";
    list.replaceChildren();
    element.showModal();
    showList();
    await loadPage();
  }

  async function loadPage() {
    setText(status, "Loading …");
    more.hidden = true;
    try {
      const page = await instructors({ limit: PAGE, cursor });
      know(page.items);
      cursor = page.next_cursor;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(status, error.message);
      more.hidden = false;
      return;
    }
    showMatches();
  }

  function know(found) {
    const ids = new Set(known.map(({ id }) => id));
    known = [...known, ...found.filter(({ id }) => !ids.has(id))];
  }

  /** What is known is shown at once; who is further down the list is asked for by name. */
  function onSought() {
    clearTimeout(lookUpTimer);
    const name = search.value.trim();
    isLooking = cursor !== null && name !== "";
    if (isLooking) lookUpTimer = setTimeout(() => void lookUp(name), LOOK_UP_AFTER_MS);
    showMatches();
  }

  async function lookUp(name) {
    try {
      const page = await instructors({ limit: PAGE, name });
      if (search.value.trim() !== name) return;
      isLooking = false;
      know(page.items);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      isLooking = false;
      setText(status, error.message);
      return;
    }
    showMatches();
  }

  function showMatches() {
    const sought = folded(search.value.trim());
    const found = known.filter((instructor) => folded(searchable(instructor)).includes(sought));
    list.replaceChildren(...found.map((instructor) => card(instructor, choosePerson)));
    more.hidden = cursor === null;
    setText(status, found.length ? "" : isLooking ? "Looking …" : "Nobody matches that.");
  }

  function showList() {
    chosen = null;
    setText(title, "Find an instructor");
    back.hidden = true;
    choose.hidden = false;
    compose.hidden = true;
    search.focus();
  }

  function choosePerson(instructor) {
    chosen = instructor;
    setText(title, "New conversation");
    back.hidden = false;
    choose.hidden = true;
    compose.hidden = false;
    chosenCard.replaceChildren(...portrait(instructor));
    words.placeholder = `Say hello to ${instructor.display_name}: what would you like to learn, and when?`;
    problem.textContent = "";
    words.focus();
  }

  function onKeyDown(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    compose.requestSubmit();
  }

  async function onSubmit(event) {
    event.preventDefault();
    const content = words.value.trim();
    if (!content || send.disabled) return;
    send.disabled = true;
    problem.textContent = "";
    try {
      await begin(chosen, content);
      words.value = "";
      element.close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.textContent = error.message;
    } finally {
      send.disabled = false;
    }
  }

  return { element, open };
}

function card(instructor, choose) {
  return el(
    "li",
    {},
    el(
      "button",
      { class: "instructor", type: "button", on: { click: () => choose(instructor) } },
      ...portrait(instructor),
    ),
  );
}

function portrait(instructor) {
  const picture = avatarWithPresence(instructor, { large: true });
  picture.set(instructor.online ? "online" : "offline");
  const services = instructor.services.map((service) =>
    el(
      "span",
      { class: "service" },
      el("span", { class: "service-title", dir: "auto" }, service.title),
      el("span", { class: "service-price" }, rateOf(service)),
    ),
  );
  const name = el("span", { class: "instructor-name", dir: "auto" }, instructor.display_name);
  const none = el("span", { class: "service" }, "No lessons listed yet");
  return [
    picture.element,
    el("span", { class: "instructor-text" }, name, ...(services.length ? services : [none])),
  ];
}

const searchable = ({ display_name, services }) =>
  [display_name, ...services.flatMap((s) => [s.title, s.description])].join(" ");

/** For comparing without regard to case and accents. */
const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
