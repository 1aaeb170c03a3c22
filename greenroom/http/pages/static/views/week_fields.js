/** The times of a week at which somebody is free. */

import { el, setText } from "../dom.js";
import { closeIcon } from "../icons.js";

const DAYS = {
  mon: "Monday",
  tue: "Tuesday",
  wed: "Wednesday",
  thu: "Thursday",
  fri: "Friday",
  sat: "Saturday",
  sun: "Sunday",
};

/** What an entry that was just added says. */
const OFFERED = { weekday: "sat", starts: "09:00", ends: "12:00" };

export function createWeekFields() {
  const list = el("ul", { class: "week" });
  const zone = el("span", { class: "hint" });
  const problem = el("span", { class: "field-problem", role: "alert" });
  const add = el("button", { class: "link", type: "button", on: { click: () => push(OFFERED).focus() } }, "Add a time");
  const element = el(
    "fieldset",
    { class: "choices" },
    el("legend", {}, "When I am free, every week"),
    zone,
    list,
    problem,
    add,
  );
  let rows = [];

  function push(time) {
    const weekday = el(
      "select",
      { class: "input", "aria-label": "Day" },
      ...Object.entries(DAYS).map(([value, name]) => el("option", { value }, name)),
    );
    weekday.value = time.weekday;
    const starts = timeInput("From", time.starts);
    const ends = timeInput("Until", time.ends);
    const remove = el(
      "button",
      { class: "icon-button", type: "button", "aria-label": "Remove this time", on: { click: drop } },
      closeIcon(),
    );
    const row = el("li", { class: "week-row" }, weekday, starts, ends, remove);
    const entry = { row, weekday, starts, ends };
    rows.push(entry);
    list.append(row);
    return weekday;

    function drop() {
      rows = rows.filter((other) => other !== entry);
      row.remove();
      add.focus();
    }
  }

  return {
    element,
    set(times, timezone) {
      rows = [];
      list.replaceChildren();
      setText(zone, timezone === "UTC" ? "" : `Times in ${timezone.replaceAll("_", " ")}`);
      setText(problem, "");
      for (const time of times) push(time);
    },
    check() {
      const bad = rows.find(({ starts, ends }) => !starts.value || !ends.value || starts.value >= endOf(ends.value));
      setText(problem, bad ? "A time has to start before it ends, within one day." : "");
      bad?.starts.focus();
      return !bad;
    },
    value: () =>
      rows.map(({ weekday, starts, ends }) => ({
        weekday: weekday.value,
        starts: starts.value,
        ends: endOf(ends.value),
      })),
  };
}

/** A browser knows no 24:00; midnight at which a time ends is the day's own. */
const endOf = (time) => (time === "00:00" ? "24:00" : time);

const timeInput = (label, value) =>
  el("input", { class: "input", type: "time", step: "300", "aria-label": label, value: value === "24:00" ? "00:00" : value });
