/** Where one writes: Enter sends, Shift+Enter begins a new line. A draft stays with its conversation. */

import { el, setText } from "../dom.js";
import { calendarIcon, closeIcon, sendIcon } from "../icons.js";

/** The server's bound, in characters (code points). */
export const CONTENT_LENGTH_MAX = 5_000;
/** From here on the length is shown. */
const LENGTH_SHOWN_FROM = 4_500;
const HEIGHT_MAX_PX = 200;

/**
 * @param actions `{ send, keyPressed, stoppedTyping, editLast, drafts, writeAbout }`; `editLast` returns whether there was
 *   something to edit, `drafts` are `{ of(id), keep(id, text) }`, `writeAbout(id, null)` makes the message one about no lesson.
 */
export function createComposer(actions) {
  const { drafts } = actions;
  let shownId = null;
  let opening = null; // { id, text }: how a message in that conversation may begin; nobody has written it yet

  const input = el("textarea", {
    class: "composer-input",
    rows: 1,
    placeholder: "Write a message",
    "aria-label": "Message",
    dir: "auto",
    on: { input: onInput, keydown: onKeyDown, blur: () => actions.stoppedTyping() },
  });
  const length = el("span", { class: "composer-length", role: "status" });
  const button = el(
    "button",
    { class: "send-button", type: "submit", "aria-label": "Send", title: "Send", disabled: true },
    sendIcon(),
  );
  const aboutWhat = el("span", { class: "composer-about-what" });
  const about = el(
    "p",
    { class: "composer-about", hidden: true },
    calendarIcon(),
    aboutWhat,
    el(
      "button",
      {
        class: "composer-about-none",
        type: "button",
        "aria-label": "Not about this lesson",
        title: "Not about this lesson",
        on: { click: () => (actions.writeAbout(shownId, null), input.focus()) },
      },
      closeIcon(),
    ),
  );
  const element = el(
    "form",
    { class: "composer", on: { submit: onSubmit } },
    about,
    el("div", { class: "composer-box" }, input, button),
    el(
      "p",
      { class: "composer-hint" },
      el(
        "span",
        { class: "composer-keys" },
        el("kbd", {}, "Enter"),
        " sends, ",
        el("kbd", {}, "Shift + Enter"),
        " begins a new line, ",
        el("kbd", {}, "Up"),
        " edits what you said last",
      ),
      length,
    ),
  );

  function onInput() {
    if (input.value === "") opening = null;
    drafts.keep(shownId, isOpeningOnly() ? "" : input.value);
    resize();
    check();
    if (input.value.trim()) actions.keyPressed(shownId);
    else actions.stoppedTyping();
  }

  function onKeyDown(event) {
    if (event.key === "ArrowUp" && input.value === "" && actions.editLast()) event.preventDefault();
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    onSubmit(event);
  }

  function onSubmit(event) {
    event.preventDefault();
    const content = input.value.trim();
    if (!content || isOpeningOnly() || lengthOf(content) > CONTENT_LENGTH_MAX) return;
    if (!actions.send(shownId, content)) return;
    input.value = "";
    opening = null;
    drafts.keep(shownId, "");
    resize();
    check();
    input.focus();
  }

  function check() {
    const count = lengthOf(input.value.trim());
    const left = CONTENT_LENGTH_MAX - count;
    button.disabled = count === 0 || left < 0 || isOpeningOnly();
    setText(
      length,
      count < LENGTH_SHOWN_FROM ? "" : left < 0 ? `${-left} characters too long` : `${left} characters left`,
    );
    length.classList.toggle("is-too-long", left < 0);
  }

  const isOpeningOnly = () => opening?.id === shownId && input.value.trim() === opening.text.trim();

  function resize() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, HEIGHT_MAX_PX)}px`;
  }

  return {
    element,
    focus: () => input.focus(),
    /** Measure again: what is not shown has no height. */
    resize,
    /** Show which lesson the next message is about; null for none. */
    showAbout(booking) {
      about.hidden = booking === null;
      if (booking) setText(aboutWhat, ["About", booking.title, booking.when].filter(Boolean).join(" · "));
    },
    /** Begin the next message of a conversation, unless something is begun there already. It is neither sent nor kept by itself. */
    begin(id, text) {
      opening = { id, text };
      if (id === shownId && !drafts.of(id)) this.show(id);
    },
    /** Show the draft of another conversation, or of none. */
    show(id) {
      if (shownId !== null) actions.stoppedTyping();
      shownId = id;
      input.value = id === null ? "" : drafts.of(id) || (opening?.id === id ? opening.text : "");
      resize();
      check();
    },
  };
}

const lengthOf = (text) => [...text].length;
