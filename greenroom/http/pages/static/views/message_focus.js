/**
 * Messages by keyboard: the thread is one stop of the Tab key, within which the arrows walk. Up and Down go from message to
 * message, Left and Right to what a message has besides.
 */

const STOPS = ".message-more, .reaction, .edited, button.booking";
const ROWS = ".message, .system-message";
/** Where one comes to a row: what the server says has nothing but its lesson. */
const FIRSTS = ".message-more, .system-message button.booking";

/** @param timeline the element with the rows. */
export function createMessageFocus(timeline) {
  let current = null;

  const stopsIn = (element) => [...element.querySelectorAll(STOPS)];

  function makeCurrent(stop) {
    if (stop === current) return;
    if (current) current.tabIndex = -1;
    current = stop;
    if (current) current.tabIndex = 0;
  }

  function onKeyDown(event) {
    if (!event.target.matches(STOPS)) return;
    const next = neighbour(event.target, event.key);
    if (next === undefined) return;
    event.preventDefault();
    next?.focus();
    next?.closest(ROWS).scrollIntoView({ block: "nearest" });
  }

  function neighbour(stop, key) {
    const row = stop.closest(ROWS);
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const stops = stopsIn(row);
      return stops[stops.indexOf(stop) + (key === "ArrowRight" ? 1 : -1)] ?? null;
    }
    const firsts = [...timeline.querySelectorAll(FIRSTS)];
    const place = firsts.indexOf(row.querySelector(FIRSTS));
    switch (key) {
      case "ArrowUp":
        return firsts[place - 1] ?? null;
      case "ArrowDown":
        return firsts[place + 1] ?? null;
      case "Home":
        return firsts[0];
      case "End":
        return firsts.at(-1);
    }
    return undefined;
  }

  timeline.addEventListener("keydown", onKeyDown);
  timeline.addEventListener("focusin", ({ target }) => target.matches(STOPS) && makeCurrent(target));

  return {
    /** To be called when rows have changed: the newest message is where Tab leads, unless one is among them already. */
    refresh() {
      if (current?.isConnected && timeline.contains(document.activeElement)) return;
      makeCurrent(stopsIn(timeline).findLast((stop) => stop.matches(FIRSTS)) ?? null);
    },
  };
}
