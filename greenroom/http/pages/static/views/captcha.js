/** Showing that one is a person, once the server asks for that: Cloudflare Turnstile's widget.
 *
 * Source: https://developers.cloudflare.com/turnstile/get-started/client-side-rendering/
 */

import { el, setText } from "../dom.js";

/** What the server asks of the widget's tokens. */
const ACTION = "login";
const CODES = new Set(["captcha_required", "captcha_failed"]);

/** @param widget asks which one is shown: `{ site_key, script_url }`, or null for none. */
export function createCaptcha({ widget }) {
  const frame = el("div", { class: "captcha-frame" });
  const note = el("p", { class: "hint", role: "status" });
  const element = el("div", { class: "captcha", hidden: true }, frame, note);
  let turnstile = null;
  let id = null;
  let token = null;

  /** Put the widget there; false where there is none to be had. */
  async function show() {
    const wanted = await widget();
    if (wanted === null) return false;
    element.hidden = false;
    setText(note, "Loading a check that you are a person …");
    turnstile = await loadTurnstile(wanted.script_url);
    setText(note, "");
    id = turnstile.render(frame, {
      sitekey: wanted.site_key,
      action: ACTION,
      callback: (earned) => (token = earned),
      "expired-callback": () => (token = null),
      "error-callback": () => {
        token = null;
        setText(note, "The check failed. Load the page anew, or try another network.");
        return true; // told here, so not in the browser's console
      },
    });
    return true;
  }

  return {
    element,
    /** Whether a sign-in has to wait for it. */
    get isOpen() {
      return id !== null && token === null;
    },
    /** What goes with the next sign-in. */
    get fields() {
      return token === null ? {} : { captcha_token: token };
    },
    /**
     * Look at why a sign-in failed, and ask for another token, as one is good for a single try.
     *
     * @returns words to add to those of the error, or null.
     */
    async refused(error) {
      if (id !== null) {
        token = null;
        turnstile.reset(id);
        return null;
      }
      if (!CODES.has(error.code)) return null;
      try {
        if (await show()) return "Please confirm below that you are a person, and try again.";
        return "After this many failed tries, please wait a while before the next one.";
      } catch {
        setText(note, "");
        return "What checks that can't be loaded. Is something keeping this page from it?";
      }
    },
  };
}

/** Rejects if it can't be loaded; a further try loads it anew. */
function loadTurnstile(url) {
  if (window.turnstile) return Promise.resolve(window.turnstile);
  return new Promise((resolve, reject) => {
    const script = el("script", { src: `${url}?render=explicit` });
    script.addEventListener("load", () => (window.turnstile ? resolve(window.turnstile) : reject(new Error("not Turnstile"))));
    script.addEventListener("error", () => {
      script.remove();
      reject(new Error("not loaded"));
    });
    document.head.append(script);
  });
}
