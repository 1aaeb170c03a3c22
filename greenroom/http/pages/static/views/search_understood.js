/** What was understood of a sentence: piece by piece, each of which can be taken out, and the places it may mean. */

import { el } from "../dom.js";
import { closeIcon } from "../icons.js";
import { correctionsOf, deniedNote, KINDS, missingOf, noticesOf, pieceInWords, placeNote, saysItself, understoodOf } from "../search_words.js";
import { asWritten, parentName, without, withPlace, wordsForPlace } from "../sentence.js";
import { sideways } from "./sideways.js";

/** Places to choose from; the server names ten at most, and who finds none of these writes another word. */
const CHOICES_MAX = 6;

/** @param look `(sentence)` searches for another one. */
export function createUnderstood({ look }) {
  const pieces = sideways(el("ul", { class: "pieces", "aria-label": "Understood as" }));
  const place = el("div", { class: "search-note", hidden: true });
  const spelling = el("div", { class: "search-note", hidden: true });
  const denied = el("p", { class: "search-note", hidden: true });
  const notices = el("p", { class: "search-note is-degraded", hidden: true });
  const missing = el("p", { class: "search-note is-degraded", hidden: true });
  const element = el("section", { class: "understood", "aria-label": "What was understood" }, pieces, spelling, place, denied, notices, missing);

  function say(paragraph, sentences) {
    paragraph.hidden = sentences.length === 0;
    paragraph.textContent = sentences.join(" ");
  }

  function piece(sentence, { kind, label, parts }) {
    return el(
      "li",
      { class: "piece", "data-kind": kind },
      !saysItself(kind) && el("span", { class: "piece-kind" }, KINDS[kind]),
      el("span", { class: "piece-label", dir: "auto" }, label),
      el(
        "button",
        {
          class: "piece-out",
          type: "button",
          title: "Search without this",
          "aria-label": `Search without ${pieceInWords({ kind, label })}`,
          on: { click: () => look(without(sentence, parts)) },
        },
        closeIcon(),
      ),
    );
  }

  /** Told with the way to search for what was written all the same. */
  function corrected(sentence, corrections) {
    const listed = (words, tag) => words.flatMap((word, at) => [at ? ", " : "", el(tag, { dir: "auto" }, word)]);
    const written = corrections.map((each) => each.written);
    const taken = corrections.map((each) => each.taken);
    const words = written.map((word) => `“${word}”`).join(", ");
    return [
      el("span", {}, "Searched for ", ...listed(taken, "strong"), "; no lesson has ", ...listed(written, "em"), "."),
      el("button", { class: "choice", type: "button", on: { click: () => look(asWritten(sentence, written)) } }, `Search for ${words} as written`),
    ];
  }

  function choices(sentence, { parsed, location }, cities) {
    const part = parsed.parts.find(({ kind }) => kind === "place");
    const others = location.candidates.filter(({ region }) => region.id !== location.region?.id);
    if (!part || location.outcome === "not_asked" || (location.outcome === "resolved" && location.tier < 3)) return [];
    return others.slice(0, CHOICES_MAX).map((candidate) => {
      const words = wordsForPlace(candidate, location.candidates, { isNear: parsed.near });
      const city = cities.find(({ id }) => id === candidate.region.city)?.name;
      const within = [parentName(candidate.region.id), city].filter(Boolean).join(", ");
      return el(
        "button",
        { class: "choice", type: "button", on: { click: () => look(withPlace(sentence, part, words)) } },
        candidate.region.name,
        within && el("span", { class: "choice-within" }, ` ${within}`),
      );
    });
  }

  /** Where the keyboard goes when what it was on is replaced: to the piece that follows, or to the place that was chosen. */
  function heir() {
    const outs = [...pieces.querySelectorAll(".piece-out")];
    const index = outs.indexOf(document.activeElement);
    if (index >= 0) return () => [...pieces.querySelectorAll(".piece-out")].slice(0, index + 1).at(-1);
    if (spelling.contains(document.activeElement)) return () => pieces.querySelector("[data-kind=service] .piece-out");
    return place.contains(document.activeElement) ? () => pieces.querySelector("[data-kind=place] .piece-out") : null;
  }

  return {
    element,
    /**
     * @param sentence the one that was answered.
     * @param cities those that have a name here.
     */
    show(sentence, meta, cities) {
      const next = heir();
      pieces.replaceChildren(...understoodOf(meta).map((each) => piece(sentence, each)));
      const note = placeNote(meta.location);
      place.hidden = !note;
      const others = note ? choices(sentence, meta, cities) : [];
      place.replaceChildren(...(note ? [el("span", {}, note)] : []), ...(others.length ? [sideways(el("div", { class: "place-choices" }, ...others))] : []));
      say(denied, [deniedNote(meta)].filter(Boolean));
      const corrections = correctionsOf(meta.parsed);
      spelling.hidden = corrections.length === 0;
      spelling.replaceChildren(...(corrections.length ? corrected(sentence, corrections) : []));
      say(notices, noticesOf({ notices: meta.parsed.notices.filter(({ kind }) => kind !== "corrected") }));
      say(missing, missingOf(meta.budget));
      next?.()?.focus();
    },
  };
}
