/** Asking whether something shall really be done that can't be taken back. */

import { el, setText } from "../dom.js";
import { closeFromBackdrop } from "./backdrop.js";

/** @param name a word that no other such dialog on the page has. */
export function createConfirmDialog({ name, title, confirm: confirmLabel, keep: keepLabel }) {
  const words = el("p", { class: "dialog-words" });
  const element = el(
    "dialog",
    {
      class: "dialog small",
      "aria-labelledby": `${name}-title`,
      on: { click: closeFromBackdrop, close: () => decide?.(element.returnValue === "yes") },
    },
    el(
      "form",
      { class: "dialog-body", method: "dialog" },
      el("h2", { class: "dialog-title", id: `${name}-title` }, title),
      words,
      el(
        "div",
        { class: "dialog-buttons" },
        el("button", { class: "button", value: "no" }, keepLabel),
        el("button", { class: "button danger", value: "yes" }, confirmLabel),
      ),
    ),
  );
  let decide = null;

  return {
    element,
    /** Resolves to whether it shall be done. */
    ask(question) {
      setText(words, question);
      element.returnValue = "";
      element.showModal();
      return new Promise((resolve) => (decide = resolve));
    },
  };
}
