/** Where a message that was sent is given other words: in its own place. */

import { el, setText } from "../dom.js";
import { CONTENT_LENGTH_MAX } from "./composer.js";

/** @param actions `{ saveEdit(content), cancelEdit() }` */
export function createMessageEditor({ saveEdit, cancelEdit }) {
  const input = el("textarea", {
    class: "editor-input",
    rows: 1,
    "aria-label": "Edit message",
    dir: "auto",
    on: { input: onInput, keydown: onKeyDown },
  });
  const problem = el("p", { class: "editor-problem", role: "alert" });
  const save = el("button", { class: "link", type: "submit" }, "Save");
  const cancel = el("button", { class: "link quiet", type: "button", on: { click: cancelEdit } }, "Cancel");
  const element = el(
    "form",
    { class: "editor", on: { submit: onSubmit } },
    input,
    problem,
    el("div", { class: "editor-buttons" }, save, cancel),
  );
  let shownId = null;

  function onInput() {
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
    const length = [...input.value.trim()].length;
    save.disabled = input.readOnly || length === 0 || length > CONTENT_LENGTH_MAX;
  }

  function onKeyDown(event) {
    if (event.isComposing) return;
    if (event.key === "Escape") cancelEdit();
    else if (event.key === "Enter" && !event.shiftKey) onSubmit(event);
    else return;
    event.preventDefault();
  }

  function onSubmit(event) {
    event.preventDefault();
    if (!save.disabled) void saveEdit(input.value.trim());
  }

  return {
    element,
    /** Show an edit of a message with this content; the element stands in the document by now. */
    show(editing, content) {
      const isNew = shownId !== editing.messageId;
      shownId = editing.messageId;
      if (isNew) input.value = content;
      input.readOnly = editing.isSaving;
      setText(save, editing.isSaving ? "Saving …" : "Save");
      setText(problem, editing.problem ?? "");
      problem.hidden = !editing.problem;
      onInput();
      if (!isNew) return;
      input.focus();
      input.setSelectionRange(input.value.length, input.value.length);
      element.scrollIntoView({ block: "nearest" });
    },
    hide: () => (shownId = null),
  };
}
