/** A dialog with a title, a cross to close it, and what is in it below. */

import { el } from "../dom.js";
import { closeIcon } from "../icons.js";

/**
 * @param title a heading with an id.
 * @param attributes of the dialog, besides those that every one has.
 */
export function smallDialog(title, content, attributes = {}) {
  const element = el(
    "dialog",
    { class: "dialog small", "aria-labelledby": title.id, ...attributes },
    el(
      "header",
      { class: "dialog-header" },
      title,
      el(
        "button",
        { class: "icon-button", type: "button", "aria-label": "Close", on: { click: () => element.close() } },
        closeIcon(),
      ),
    ),
    content,
  );
  return element;
}
