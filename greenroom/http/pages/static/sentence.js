/** What one searches for, in one's own words, and the pieces of it that were understood. All pure. */

/** Characters of a sentence; the server's bound. */
export const SENTENCE_LENGTH_MAX = 300;

/** The sentence without some of its pieces. Positions count characters as the server does: code points. */
export function without(sentence, parts) {
  const left = [...sentence];
  for (const { start, end } of parts) for (let at = start; at < end; at += 1) left[at] = "";
  return tidy(left.join(""));
}

/** The sentence with other words for its place. */
export function withPlace(sentence, part, words) {
  const characters = [...sentence];
  return tidy(`${characters.slice(0, part.start).join("")} ${words} ${characters.slice(part.end).join("")}`);
}

/** The text with each whole word that is in a map in other words. */
export const withWords = (text, words) => text.replace(/[\p{L}\p{M}\p{N}]+/gu, (word) => words.get(word) ?? word);

/** The sentence with these words in quotation marks: they are searched for as they are written. */
export const asWritten = (sentence, words) => withWords(sentence, new Map(words.map((word) => [word, `"${word}"`])));

/** One space between words, and none before a comma; a comma that nothing is before any more goes too. */
const tidy = (text) =>
  text
    .replace(/\s+/g, " ")
    .replace(/ (?=[,;.])/g, "")
    .replace(/([,;.])(?:\s*[,;.])+/g, "$1")
    .replace(/^[\s,;.]+|[\s,;]+$/g, "");

/**
 * Words that mean one of several places.
 *
 * A name that several of them have, or that another is called as well, is told apart by what it lies in, which its id names:
 * `nyc/brooklyn/park-slope`.
 */
export function wordsForPlace(candidate, candidates, { isNear }) {
  const { name, id } = candidate.region;
  const isItsName = (other) => [other.region.name, other.matched_name].some((given) => given?.toLowerCase() === name.toLowerCase());
  const isShared = candidates.some((other) => other.region.id !== id && isItsName(other));
  const within = isShared ? ` ${parentOf(id)}` : "";
  return `${isNear ? "near" : "in"} ${name}${within}`;
}

/** What a region lies in, in words: "brooklyn" of `nyc/brooklyn/park-slope`; nothing for a city. */
export const parentOf = (id) => id.split("/").at(-2)?.replaceAll("-", " ") ?? "";

/** The same for the eye: "Kensington and Chelsea"; nothing for what lies in a city directly, which is named beside it. */
export function parentName(id) {
  const isInCity = id.split("/").length < 3;
  return isInCity ? "" : parentOf(id).replace(/\b(?!(?:and|of|the|upon|in|on)\b)[a-z]/g, (letter) => letter.toUpperCase());
}

/** The page's address of a search: what is looked for, and in which city if that was chosen. */
export function addressOfSearch({ text = "", city = null } = {}) {
  if (!text && !city) return "#/search";
  const query = new URLSearchParams({ q: text });
  if (city) query.set("city", city);
  return `#/search?${query}`;
}

/** The search that an address names, or null. */
export function searchOf(hash) {
  const [path, query = ""] = hash.split("?");
  if (path !== "#/search") return null;
  const given = new URLSearchParams(query);
  return { text: [...(given.get("q") ?? "").trim()].slice(0, SENTENCE_LENGTH_MAX).join(""), city: given.get("city") };
}
