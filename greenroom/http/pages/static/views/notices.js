/** Short-lived words about something that did not work. */

import { el } from "../dom.js";

const SHOWN_MS = 7_000;

/** `show(text)` replaces what was shown before. */
export function createNotices() {
  const element = el("div", { class: "notice", role: "alert", hidden: true });
  let timer = null;
  return {
    element,
    show(text) {
      element.textContent = text;
      element.hidden = false;
      clearTimeout(timer);
      timer = setTimeout(() => (element.hidden = true), SHOWN_MS);
    },
  };
}
