/** Says when the page is not live, why, and when it tries again. */

import { el, setText } from "../dom.js";
import { inSeconds } from "../times.js";

const REASONS = {
  draining: "The server is restarting.",
  slow_consumer: "The connection was too slow to keep up.",
  evicted: "This account is open in too many places, so this one was disconnected.",
};

/** @param reconnect called when the person does not want to wait. */
export function createBanner({ reconnect }) {
  const words = el("span", { class: "banner-words" });
  const countdown = el("span", { class: "banner-countdown", "aria-hidden": "true" });
  const button = el("button", { class: "banner-button", type: "button", on: { click: reconnect } }, "Try now");
  const element = el(
    "div",
    { class: "banner", role: "status", hidden: true },
    el("span", { class: "banner-pulse", "aria-hidden": "true" }),
    words,
    countdown,
    button,
  );
  let ticking = null;
  let retryAt = null;
  let wasLive = false;

  function tick() {
    const left = retryAt - Date.now();
    setText(countdown, left > 0 ? `Trying again in ${inSeconds(left)}.` : "Trying again …");
  }

  return {
    element,
    update({ connection }) {
      const { status, reason, attempt } = connection;
      wasLive ||= status === "live";
      // The first connection of a page is expected to take a moment.
      const isQuiet = status === "live" || (status === "connecting" && attempt === 0 && !wasLive);
      element.hidden = isQuiet;
      element.dataset.status = status;
      clearInterval(ticking);
      countdown.textContent = "";
      if (isQuiet) return;
      setText(words, inWords(status, reason));
      button.hidden = status === "connecting";
      if (status === "waiting") {
        retryAt = connection.retryAt;
        tick();
        ticking = setInterval(tick, 250);
      } else if (status === "connecting") {
        setText(countdown, "Trying again …");
      }
    },
  };
}

function inWords(status, reason) {
  if (status === "offline") return "You are offline. What you write is sent when you are back.";
  if (status === "stopped") return REASONS[reason] ?? "The server ended the connection.";
  return `${REASONS[reason] ?? "Connection lost."} Reconnecting.`;
}
