/** What can be done with a message: a small window beside it, or on a phone at the foot of the screen. */

import { el } from "../dom.js";
import { addEmojiIcon, copyIcon, editIcon, historyIcon, trashIcon } from "../icons.js";
import { COMMON, FAVOURITES, firstEmoji } from "../reactions.js";

/** Between the window, its message and the edges of the page. */
const GAP_PX = 6;
const EDGE_PX = 8;

/**
 * @param actions `{ react(message, emoji, isAdded), edit(message), remove(message), showHistory(message), copy(message) }`;
 *   without `copy` it is not offered
 */
export function createMessageMenu(actions) {
  const element = el("div", {
    class: "menu",
    role: "dialog",
    popover: "auto",
    "aria-label": "Message actions",
    on: { keydown: onKeyDown },
  });
  let anchor = null;

  /** Open it for a row of the timeline, beside one of its elements. */
  function open(row, beside) {
    anchor = beside;
    const { message, isMine } = row;
    const mine = new Set(row.reactions.filter((reaction) => reaction.isMine).map(({ emoji }) => emoji));
    const choose = (emoji) => act(actions.react, message, emoji, !mine.has(emoji));
    const picker = createPicker(choose);
    const items = el(
      "div",
      { class: "menu-items" },
      isMine && item("Edit", editIcon(), () => act(actions.edit, message)),
      actions.copy && item("Copy text", copyIcon(), () => act(actions.copy, message)),
      message.edited_at && item("Show history", historyIcon(), () => act(actions.showHistory, message)),
      isMine && item("Delete", trashIcon(), () => act(actions.remove, message), "is-dangerous"),
    );
    const more = el(
      "button",
      {
        class: "menu-emoji",
        type: "button",
        title: "More emoji",
        "aria-label": "More emoji",
        "aria-expanded": "false",
        on: { click: () => showPicker(picker, more, items) },
      },
      addEmojiIcon(),
    );
    element.classList.toggle("is-mine", isMine);
    element.replaceChildren(
      el(
        "div",
        { class: "menu-favourites" },
        ...FAVOURITES.map((emoji) => emojiButton(emoji, choose, mine)),
        more,
      ),
      picker.element,
      items,
    );
    element.showPopover();
    place();
    element.querySelector("button").focus();
  }

  function act(action, ...given) {
    element.hidePopover(); // first: it gives the focus back to where it was
    action(...given);
  }

  /** The emoji take the place of the rest, so that the window stays small. */
  function showPicker(picker, more, items) {
    const isShown = picker.element.hidden;
    more.setAttribute("aria-expanded", String(isShown));
    picker.element.hidden = !isShown;
    items.hidden = isShown;
    place();
    (isShown ? picker.element.querySelector("button") : more).focus();
  }

  /** Above the message if there is room, else below; the stylesheet ignores it where it opens at the foot of the screen. */
  function place() {
    const box = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = element;
    const above = box.top - height - GAP_PX;
    const top = above >= EDGE_PX ? above : Math.min(box.bottom + GAP_PX, innerHeight - height - EDGE_PX);
    const left = element.classList.contains("is-mine") ? box.right - width : box.left;
    element.style.setProperty("--menu-top", `${Math.max(EDGE_PX, top)}px`);
    element.style.setProperty(
      "--menu-left",
      `${Math.max(EDGE_PX, Math.min(left, innerWidth - width - EDGE_PX))}px`,
    );
  }

  /** The arrows walk through the buttons, as they do through a menu. */
  function onKeyDown(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || event.target.tagName === "INPUT") return;
    event.preventDefault();
    const buttons = [...element.querySelectorAll("button")].filter((button) => button.checkVisibility());
    const next = buttons.indexOf(document.activeElement) + step;
    buttons.at(next % buttons.length).focus();
  }

  return { element, open, close: () => element.matches(":popover-open") && element.hidePopover() };
}

function emojiButton(emoji, choose, mine) {
  const isMine = mine?.has(emoji) ?? false;
  return el(
    "button",
    {
      class: "menu-emoji",
      type: "button",
      "aria-label": isMine ? `Take ${emoji} back` : `React with ${emoji}`,
      "aria-pressed": mine ? String(isMine) : null,
      on: { click: () => choose(emoji) },
    },
    emoji,
  );
}

/** More emoji, and a field for all others: phones and desktops have a keyboard for them. */
function createPicker(choose) {
  const input = el("input", {
    class: "input menu-input",
    placeholder: "Any other emoji",
    "aria-label": "Type an emoji",
    autocomplete: "off",
    on: { input: onInput },
  });
  const element = el(
    "div",
    { class: "menu-picker", hidden: true },
    el("div", { class: "menu-grid" }, ...COMMON.map((emoji) => emojiButton(emoji, choose))),
    input,
  );

  function onInput() {
    const emoji = firstEmoji(input.value);
    input.setCustomValidity(input.value && !emoji ? "That is no emoji." : "");
    if (emoji) choose(emoji);
    else if (input.value) input.reportValidity();
  }

  return { element };
}

const item = (label, image, run, style = "") =>
  el("button", { class: `menu-item ${style}`, type: "button", on: { click: run } }, image, label);
