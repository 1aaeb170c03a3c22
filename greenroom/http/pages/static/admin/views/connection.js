/** Says whether what is shown is live, and when the next try is if it is not. */

import { el, setText } from "../../dom.js";
import { inSeconds } from "../../times.js";

/** @param reconnect called when somebody does not want to wait. */
export function createConnection({ reconnect }) {
  const badgeWords = el("span", {});
  const badge = el("span", { class: "live" }, el("span", { class: "live-dot", "aria-hidden": "true" }), badgeWords);
  const words = el("span", { class: "banner-words" });
  const countdown = el("span", { class: "banner-countdown", "aria-hidden": "true" });
  const banner = el(
    "div",
    { class: "banner", role: "status", hidden: true },
    el("span", { class: "banner-pulse", "aria-hidden": "true" }),
    words,
    countdown,
    el("button", { class: "banner-button", type: "button", on: { click: reconnect } }, "Try now"),
  );
  let ticking = null;
  let wasLive = false;

  return {
    badge,
    banner,
    update({ status, reason, retryAt }) {
      const isLive = status === "live";
      wasLive ||= isLive;
      badge.classList.toggle("is-live", isLive);
      setText(badgeWords, isLive ? "Live" : status === "connecting" ? "Connecting" : "Disconnected");
      banner.hidden = isLive || (status === "connecting" && !wasLive);
      clearInterval(ticking);
      if (banner.hidden) return;
      setText(words, `${reason ?? "Connection lost."} What is shown is what was known last.`);
      const tick = () => {
        const left = status === "waiting" ? retryAt - Date.now() : 0;
        setText(countdown, left > 0 ? `Trying again in ${inSeconds(left)}.` : "Trying again …");
      };
      tick();
      ticking = setInterval(tick, 250);
    },
    close: () => clearInterval(ticking),
  };
}
