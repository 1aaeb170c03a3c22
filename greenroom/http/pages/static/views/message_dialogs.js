/** Asking whether a message shall really go, and showing what it said before. */

import { ApiError } from "../api.js";
import { el } from "../dom.js";
import { dayAndHour, inFull } from "../times.js";
import { closeFromBackdrop } from "./backdrop.js";
import { smallDialog } from "./small_dialog.js";

/** @param remove `(message)` resolves once it is gone, or once that failed and was told. */
export function createDeleteDialog(remove) {
  const words = el("p", { class: "dialog-quote", dir: "auto" });
  const confirm = el("button", { class: "button danger", type: "button", on: { click: onConfirm } }, "Delete");
  const element = el(
    "dialog",
    { class: "dialog small", "aria-labelledby": "delete-title", on: { click: closeFromBackdrop } },
    el(
      "div",
      { class: "dialog-body" },
      el("h2", { class: "dialog-title", id: "delete-title" }, "Delete this message?"),
      words,
      el("p", { class: "dialog-words" }, "It is gone for both of you, and can't be brought back."),
      el(
        "div",
        { class: "dialog-buttons" },
        el("button", { class: "button", type: "button", on: { click: () => element.close() } }, "Keep it"),
        confirm,
      ),
    ),
  );
  let message = null;

  async function onConfirm() {
    confirm.disabled = true;
    await remove(message);
    confirm.disabled = false;
    element.close();
  }

  return {
    element,
    open(chosen) {
      message = chosen;
      words.textContent = chosen.content;
      element.showModal();
    },
  };
}

/** @param versions `(messageId)` resolves to `{ items }`, oldest first, or rejects with an ApiError. */
export function createHistoryDialog(versions) {
  const list = el("ol", { class: "versions" });
  const status = el("p", { class: "dialog-status", role: "status" });
  const title = el("h2", { class: "dialog-title", id: "history-title" }, "What it said");
  const content = el("div", { class: "dialog-scroller" }, list, status);
  const element = smallDialog(title, content, { on: { click: closeFromBackdrop } });

  return {
    element,
    async open({ id }) {
      list.replaceChildren();
      status.textContent = "Loading …";
      element.showModal();
      try {
        const { items } = await versions(id);
        list.replaceChildren(...items.toReversed().map((version, place) => entry(version, place === 0)));
        status.textContent = items.length ? "" : "Nothing is left of this message.";
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        status.textContent = error.message;
      }
    },
  };
}

const entry = ({ content, written_at }, isCurrent) =>
  el(
    "li",
    { class: "version" },
    el(
      "span",
      { class: "version-when" },
      el("time", { dateTime: written_at, title: inFull(written_at) }, dayAndHour(written_at)),
      isCurrent && el("span", { class: "version-current" }, "now"),
    ),
    el("p", { class: "content", dir: "auto" }, content),
  );
