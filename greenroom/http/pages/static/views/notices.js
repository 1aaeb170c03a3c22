/** Short-lived words about what was done, or did not work, with a way to take it back. */

import { el } from "../dom.js";

const SHOWN_MS = 7_000;
/** Longer where there is something to decide. */
const OFFERED_MS = 10_000;

/** `show(text, offer)` replaces what was shown before; `offer` is `{ label, run }` or left out. */
export function createNotices() {
  const words = el("span", {});
  const button = el("button", { class: "notice-button", type: "button", on: { click: take } });
  const element = el(
    "div",
    {
      class: "notice",
      role: "alert",
      hidden: true,
      on: { focusin: hold, pointerenter: hold, focusout: letGo, pointerleave: letGo },
    },
    words,
    button,
  );
  let timer = null;
  let offered = null;

  function take() {
    const { run } = offered;
    hide();
    run();
  }

  function hide() {
    clearTimeout(timer);
    element.hidden = true;
    offered = null;
  }

  /** It stays while somebody reaches for it. */
  function hold() {
    clearTimeout(timer);
  }

  function letGo() {
    clearTimeout(timer);
    timer = setTimeout(hide, offered ? OFFERED_MS : SHOWN_MS);
  }

  return {
    element,
    show(text, offer = null) {
      offered = offer;
      words.textContent = text;
      button.textContent = offer?.label ?? "";
      button.hidden = offer === null;
      element.hidden = false;
      letGo();
    },
  };
}
