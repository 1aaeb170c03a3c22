/** A labelled field with a hint, and beside it what is wrong with what was entered. */

import { asSentence } from "../api.js";
import { el, setText } from "../dom.js";

/**
 * @param properties of the input; `id` is made of its `name` if it is left out.
 * @param tag `input`, `textarea` or `select`.
 * @returns `{ element, input, hint, refuse, check }`; `refuse(words)` shows what is wrong, or with null nothing; `check()`
 *   asks the browser, shows what it says and returns whether it is content.
 */
export function field(label, properties, tag = "input") {
  const id = properties.id ?? `field-${properties.name}`;
  const hint = el("span", { class: "hint", id: `${id}-hint` });
  const problem = el("span", { class: "field-problem", id: `${id}-problem`, role: "alert" });
  const input = el(tag, { class: "input", ...properties, id });
  input.setAttribute("aria-describedby", `${hint.id} ${problem.id}`);
  input.addEventListener("input", () => refuse(null));

  function refuse(words) {
    setText(problem, words ? asSentence(words) : "");
    input.setAttribute("aria-invalid", String(Boolean(words)));
  }

  return {
    element: el("div", { class: "field" }, el("label", { htmlFor: id }, label), input, hint, problem),
    input,
    hint,
    refuse,
    check() {
      refuse(input.validationMessage || null);
      return input.validity.valid;
    },
  };
}
