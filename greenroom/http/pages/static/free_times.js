/**
 * When an instructor is free, as far as their profile tells: the hours of every week, by the clock where they are. All pure.
 *
 * A profile does not tell what is booked already: whoever books hears of that from the server.
 */

import { fieldsOf, momentOf, zoneName } from "./times.js";

const WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MS = 86_400_000;
const MINUTES_OF_DAY = 1_440;
/** The server's bounds: days that are looked at, today included, and days of a span that was told. */
const HORIZON_DAYS = 28;
const SPAN_DAYS_MAX = 60;
/** What is proposed on a day of which no hours are known. */
const MINUTE_PROPOSED = 10 * 60;
/** Moments are proposed on quarters of an hour. */
const MINUTES_STEP = 15;

/** The zone by whose clock lessons of an instructor are booked: theirs if they told one, else, null, the reader's. */
export function zoneOf({ timezone = "UTC", availability = [] }) {
  const isTold = timezone !== "UTC" || availability.length > 0;
  return isTold && timezone !== zoneName() ? timezone : null;
}

/**
 * The moment to begin with: the first that was asked for at which the instructor is free for the whole lesson.
 *
 * Where their hours are not known, or none of those that were asked for is among them, it is the first that was asked for. Who asks
 * for no time is proposed one from tomorrow on.
 *
 * @param profile `{ timezone, availability }`
 * @param asked `{ times, denied_times }` of a search's `meta.parsed`, or null.
 * @param minutes how long the lesson is.
 * @returns null where nothing of what was asked for is still to come.
 */
export function firstMoment(profile, asked, minutes, now) {
  const zone = zoneOf(profile);
  const slots = slotsOf(profile);
  const windows = windowsOf(asked, fieldsOf(now, zone).date);
  const momentAt = (day, minute) => {
    const moment = momentOf({ date: dateOf(day), time: clockOf(minute) }, zone);
    return moment && moment > now ? moment : null;
  };
  const firstWithin = (day, from, to) => {
    const step = (minute) => Math.ceil(minute / MINUTES_STEP) * MINUTES_STEP;
    const isWhole = (minute) => minute + minutes <= to && minute < MINUTES_OF_DAY;
    if (isWhole(from) && momentAt(day, from)) return momentAt(day, from);
    for (let minute = step(from); isWhole(minute); minute += MINUTES_STEP)
      if (momentAt(day, minute)) return momentAt(day, minute);
    return null;
  };
  for (const { day, from, to } of windows)
    for (const slot of slots.filter(({ weekday }) => weekday === weekdayOf(day))) {
      const found = firstWithin(day, Math.max(from, slot.from), Math.min(to, slot.to));
      if (found) return found;
    }
  for (const { day, from, to } of windows) {
    // A whole day begins at midnight, when nobody wants a lesson.
    const found = (from === 0 && firstWithin(day, MINUTE_PROPOSED, to)) || firstWithin(day, from, to);
    if (found) return found;
  }
  return null;
}

/** Whether a lesson lies within the hours of the week; null where none are known. */
export function isWithinHours(profile, moment, minutes) {
  const slots = slotsOf(profile);
  if (!slots.length) return null;
  const { date, time } = fieldsOf(moment, zoneOf(profile));
  const weekday = weekdayOf(dayOf(date));
  const from = minuteOf(time);
  return slots.some((slot) => slot.weekday === weekday && slot.from <= from && from + minutes <= slot.to);
}

/** The hours of the week in words, "Mon, Tue 3:00 PM to 6:00 PM; Sat 9:00 AM to 12:00 PM"; empty where none are known. */
export function hoursInWords({ availability = [] }) {
  const days = new Map(); // hours in words → weekdays that have these
  const hoursOn = (weekday) => {
    const slots = slotsOf({ availability }).filter((slot) => slot.weekday === weekday);
    return slots.map(({ from, to }) => `${CLOCK.format(from * 60_000)} to ${CLOCK.format(to * 60_000)}`).join(", ");
  };
  for (const weekday of WEEK.keys()) {
    const hours = hoursOn(weekday);
    if (hours) days.set(hours, [...(days.get(hours) ?? []), DAY_NAME.format(weekday * DAY_MS + MONDAY_MS)]);
  }
  return [...days].map(([hours, names]) => `${names.join(", ")} ${hours}`).join("; ");
}

/** A Monday in the calendar of minutes and days without a zone. */
const MONDAY_MS = 4 * DAY_MS;
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", timeZone: "UTC" });
const DAY_NAME = new Intl.DateTimeFormat(undefined, { weekday: "short", timeZone: "UTC" });

/** `[{ weekday, from, to }]` in minutes from midnight, in the order of the week; those that touch are one. */
function slotsOf({ availability = [] }) {
  const slots = availability
    .map(({ weekday, starts, ends }) => ({ weekday: WEEK.indexOf(weekday), from: minuteOf(starts), to: minuteOf(ends) }))
    .sort((a, b) => a.weekday - b.weekday || a.from - b.from);
  const joined = [];
  for (const slot of slots) {
    const last = joined.at(-1);
    if (last && last.weekday === slot.weekday && slot.from <= last.to) last.to = Math.max(last.to, slot.to);
    else joined.push(slot);
  }
  return joined;
}

/** The hours that were asked for day by day, `[{ day, from, to }]`, without those that were denied; the server reads days alike. */
function windowsOf(asked, date) {
  const today = dayOf(date);
  const times = asked?.times ?? [];
  const denied = asked?.denied_times ?? [];
  const anyTime = { weekdays: [], relative: null, on: null, from_minute: null, to_minute: null };
  const isAsked = times.length + denied.length > 0;
  const not = denied.flatMap((when) => hoursOf(when, today));
  return (times.length ? times : [anyTime])
    .flatMap((when) => hoursOf(when, today))
    .filter(({ day }) => isAsked || day > today)
    .flatMap((window) => without(window, not.filter(({ day }) => day === window.day)))
    .sort((a, b) => a.day - b.day || a.from - b.from);
}

function hoursOf(when, today) {
  return daysOf(when, today).map((day) => ({ day, from: when.from_minute ?? 0, to: when.to_minute ?? MINUTES_OF_DAY }));
}

function daysOf(when, today) {
  if (when.on && !when.until) return [dayOf(when.on)];
  const [first, count] = spanOf(when, today);
  const days = Array.from({ length: Math.max(0, count) }, (_, ahead) => first + ahead);
  const named = days.filter((day) => !when.weekdays.length || when.weekdays.includes(WEEK[weekdayOf(day)]));
  return named.length ? named : days;
}

/** The first day that comes into question and how many. */
function spanOf(when, today) {
  const weekday = weekdayOf(today);
  if (when.on) {
    const first = Math.max(dayOf(when.on), today);
    return [first, Math.min(dayOf(when.until) - first + 1, SPAN_DAYS_MAX)];
  }
  const isOver = when.weekdays.length > 0 && when.weekdays.every((name) => WEEK.indexOf(name) < weekday);
  const spans = {
    today: [today, 1],
    tomorrow: [today + 1, 1],
    this_week: [today, isOver ? 7 : 7 - weekday],
    next_week: [today - weekday + 7, 7],
    this_weekend: [today - weekday + 5, 2],
    next_weekend: [today - weekday + 12, 2],
  };
  return spans[when.relative] ?? [today, HORIZON_DAYS];
}

/** What is left of a window. */
const without = (window, denied) =>
  denied.reduce(
    (left, not) =>
      left.flatMap(({ day, from, to }) =>
        [
          { day, from, to: Math.min(to, not.from) },
          { day, from: Math.max(from, not.to), to },
        ].filter((each) => each.from < each.to),
      ),
    [window],
  );

/** Days are counted, whatever zone they are of. */
const dayOf = (date) => Math.floor(Date.parse(`${date}T00:00Z`) / DAY_MS);
const dateOf = (day) => new Date(day * DAY_MS).toISOString().slice(0, 10);
const weekdayOf = (day) => (day + 3) % 7; // the first of them all was a Thursday

const minuteOf = (time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
const clockOf = (minute) => [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0")).join(":");
