/** The header of a pane that takes the place of a conversation: the way back, a sign, a title, and what else belongs there. */

import { el } from "../dom.js";
import { backIcon } from "../icons.js";

/** Shown where the list and the pane take turns. */
export const backLink = () =>
  el("a", { class: "icon-button back", href: "#/", "aria-label": "All conversations", title: "All conversations" }, backIcon());

/**
 * @param icon of what the pane is for.
 * @param words the title, and what stands below it.
 * @param more what stands beside them.
 */
export const paneHeader = (icon, words, ...more) =>
  el(
    "header",
    { class: "thread-header lessons-header" },
    backLink(),
    el("span", { class: "brand-mark small" }, icon),
    el("div", { class: "thread-who" }, ...words),
    ...more,
  );
