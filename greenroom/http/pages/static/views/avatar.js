/** A person as initials on a tint of their own. */

import { el, setText } from "../dom.js";

/** Classes `tint-0` to `tint-5` in parts.css. */
const TINTS = 6;

/** @param user `{ id, display_name }` */
export function avatar(user, { large = false } = {}) {
  return el(
    "span",
    { class: `avatar tint-${tintOf(user.id)}${large ? " large" : ""}`, "aria-hidden": "true" },
    initials(user.display_name),
  );
}

const PRESENCE_WORDS = { online: "Online.", offline: "", unknown: "Was online before the connection was lost." };

/** An avatar with a dot that says whether the person is connected; `set` takes `online`, `offline` or `unknown`. */
export function avatarWithPresence(user, options) {
  const dot = el("span", { class: "presence-dot" });
  const label = el("span", { class: "visually-hidden" });
  const element = el("span", { class: "avatar-frame" }, avatar(user, options), dot, label);
  return {
    element,
    set(presence) {
      dot.hidden = presence === "offline";
      dot.classList.toggle("is-unknown", presence === "unknown");
      setText(label, PRESENCE_WORDS[presence]);
    },
  };
}

function initials(name) {
  const words = name.trim().split(/\s+/u);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word][0] ?? "");
  return letters.join("").toLocaleUpperCase();
}

function tintOf(id) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.codePointAt(0)) % 65_521;
  return sum % TINTS;
}
