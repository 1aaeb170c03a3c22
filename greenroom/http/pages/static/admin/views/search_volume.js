/** How much was searched for, hour by hour or day by day: one bar each, and the same in words. */

import { el, setText } from "../../dom.js";
import { plural } from "../words.js";

const DAY_S = 86_400;

export function createVolume() {
  const title = el("h3", { class: "detail-title" });
  const bars = el("ol", { class: "volume" });
  const ends = el("p", { class: "volume-ends", "aria-hidden": "true" }, el("span", {}), el("span", {}));
  const element = el("section", { class: "detail-section", hidden: true }, title, bars, ends);

  return {
    element,
    /** @param summary as `GET analytics/search/summary` tells it; those without any search are left out of its `volume`. */
    show({ searches, span, stride_s: strideS, volume }) {
      element.hidden = searches === 0;
      if (searches === 0) return;
      const isDays = strideS >= DAY_S;
      const words = isDays ? "Searches by day, UTC" : "Searches by hour";
      setText(title, words);
      bars.setAttribute("aria-label", words);
      const counts = strides(span, strideS, volume);
      const most = Math.max(...counts.map((each) => each.searches));
      const label = labels(isDays);
      bars.replaceChildren(...counts.map((each) => bar(each, most, label)));
      setText(ends.firstChild, label.format(counts[0].at));
      setText(ends.lastChild, label.format(counts.at(-1).at));
    },
  };
}

/** All of the span, oldest first, those in which nobody searched too. */
function strides({ since, until }, strideS, volume) {
  const strideMs = 1_000 * strideS;
  const known = new Map(volume.map((each) => [Date.parse(each.at), each]));
  const all = [];
  for (let at = Math.floor(Date.parse(since) / strideMs) * strideMs; at < Date.parse(until); at += strideMs)
    all.push({ searches: 0, degraded: 0, empty: 0, ...known.get(at), at });
  return all;
}

/** Hours are the reader's; days are those of UTC, as they are counted. */
const labels = (isDays) =>
  new Intl.DateTimeFormat(undefined, isDays ? { dateStyle: "medium", timeZone: "UTC" } : { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });

function bar({ at, searches, degraded, empty }, most, label) {
  const rest = [empty > 0 && `${empty} found nothing`, degraded > 0 && `${degraded} degraded`].filter(Boolean);
  const words = `${label.format(at)}: ${[plural(searches, "search", "searches"), ...rest].join(", ")}`;
  const element = el("li", { class: "volume-bar", title: words }, el("span", { class: "visually-hidden" }, words));
  element.style.setProperty("--share", searches / most);
  return element;
}
