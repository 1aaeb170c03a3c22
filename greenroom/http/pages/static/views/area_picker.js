/** Choosing the parts of a city where lessons are given. */

import { ApiError } from "../api.js";
import { el, setText } from "../dom.js";
import { closeIcon } from "../icons.js";

/** Without a keystroke, before the server is asked. */
const LOOK_UP_AFTER_MS = 250;

/** @param find `(name)` resolves to regions, `{ id, name, within }`. */
export function createAreaPicker({ find }) {
  const chosenList = el("ul", { class: "areas", "aria-label": "Areas chosen" });
  const input = el("input", {
    class: "input",
    type: "search",
    id: "offer-areas",
    autocomplete: "off",
    placeholder: "Name of a neighbourhood",
    on: { input: onInput, keydown: onKeyDown },
  });
  const status = el("span", { class: "hint", role: "status" });
  const found = el("ul", { class: "areas-found", "aria-label": "Areas found" });
  const element = el(
    "div",
    { class: "field" },
    el("label", { htmlFor: input.id }, "Where I give lessons"),
    chosenList,
    input,
    status,
    found,
  );
  let chosen = [];
  let timer = null;

  function set(areas) {
    chosen = areas;
    input.value = "";
    setText(status, "");
    found.replaceChildren();
    showChosen();
  }

  function showChosen() {
    chosenList.replaceChildren(
      ...chosen.map(({ id, name }) =>
        el(
          "li",
          { class: "area" },
          el("span", { dir: "auto" }, name),
          el(
            "button",
            { class: "area-remove", type: "button", "aria-label": `Remove ${name}`, on: { click: () => drop(id) } },
            closeIcon(),
          ),
        ),
      ),
    );
  }

  function drop(id) {
    chosen = chosen.filter((area) => area.id !== id);
    showChosen();
    input.focus();
  }

  function add(area) {
    if (!chosen.some(({ id }) => id === area.id)) chosen = [...chosen, area];
    set(chosen);
    input.focus();
  }

  function onInput() {
    clearTimeout(timer);
    setText(status, "");
    found.replaceChildren();
    const name = input.value.trim();
    if (name) timer = setTimeout(() => void lookUp(name), LOOK_UP_AFTER_MS);
  }

  /** Enter takes the first one found, and never sends the form that this is a part of. */
  function onKeyDown(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    found.querySelector("button")?.click();
  }

  async function lookUp(name) {
    try {
      const regions = await find(name);
      if (input.value.trim() !== name) return;
      setText(status, regions.length ? "" : "No such place on our map.");
      found.replaceChildren(...regions.map(suggestion));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(status, error.message);
    }
  }

  function suggestion(region) {
    const where = region.within.length ? el("span", { class: "area-within" }, region.within.join(", ")) : null;
    return el(
      "li",
      {},
      el(
        "button",
        { class: "area-choice", type: "button", on: { click: () => add(region) } },
        el("span", { dir: "auto" }, region.name),
        where,
      ),
    );
  }

  return { element, set, value: () => chosen.map(({ id }) => id), focus: () => input.focus() };
}
