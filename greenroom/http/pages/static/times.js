/** Moments in words, in the reader's language and time zone. */

const clockTime = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long" });
const dayMonthYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const shortDate = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const shortDateYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const weekdayAndDate = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
const SPAN = {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "numeric",
  minute: "2-digit",
  timeZoneName: "short",
};
const span = new Intl.DateTimeFormat(undefined, SPAN);
const DAY_MS = 86_400_000;
const fullMoment = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

/** A word for the calendar day of an RFC 3339 time; equal for times of the same day, and only for them. */
export function dayOf(time, now = new Date()) {
  const date = new Date(time);
  const days = daysBetween(date, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return weekday.format(date);
  return (date.getFullYear() === now.getFullYear() ? dayAndMonth : dayMonthYear).format(date);
}

/** The shortest form that tells when: the hour today, else the day. For lists. */
export function briefly(time, now = new Date()) {
  const date = new Date(time);
  const days = daysBetween(date, now);
  if (days <= 0) return clockTime.format(date);
  if (days < 7) return days === 1 ? "Yesterday" : weekday.format(date);
  return (date.getFullYear() === now.getFullYear() ? shortDate : shortDateYear).format(date);
}

export const hourOf = (time) => clockTime.format(new Date(time));

export const inFull = (time) => fullMoment.format(new Date(time));

/** A moment that may lie ahead: the day and the hour. */
export function dayAndHour(time, now = new Date()) {
  const date = new Date(time);
  const days = daysBetween(now, date);
  const near = { "-1": "Yesterday", 0: "Today", 1: "Tomorrow" }[days];
  return `${near ?? weekdayAndDate.format(date)}, ${clockTime.format(date)}`;
}

/**
 * From when to when, to the minute and with the zone's name at that time: clocks may change between now and then.
 *
 * @param zone its name in the IANA database; null for the reader's, here and below.
 */
export const spanOf = (start, end, zone = null) =>
  (zone ? new Intl.DateTimeFormat(undefined, { ...SPAN, timeZone: zone }) : span).formatRange(new Date(start), new Date(end));

/** The reader's time zone by its name in the IANA database. */
export const zoneName = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A zone as people say it: "New York". */
export const zoneInWords = (zone) => zone.split("/").at(-1).replaceAll("_", " ");

/** A moment as the values of a date and a time field. */
export function fieldsOf(moment, zone = null) {
  if (zone) return fieldsIn(zone, moment);
  const padded = (number, length = 2) => String(number).padStart(length, "0");
  return {
    date: `${padded(moment.getFullYear(), 4)}-${padded(moment.getMonth() + 1)}-${padded(moment.getDate())}`,
    time: `${padded(moment.getHours())}:${padded(moment.getMinutes())}`,
  };
}

/** The moment that the values of a date and a time field name, or null: in the hour that clocks skip in spring, there is none. */
export function momentOf({ date, time }, zone = null) {
  if (zone) return momentIn(zone, { date, time });
  const moment = new Date(`${date}T${time}`);
  if (Number.isNaN(moment.getTime())) return null;
  const named = fieldsOf(moment);
  return named.date === date && named.time === time.slice(0, 5) ? moment : null;
}

const wallClocks = new Map(); // zone → what formats moments there: a new one takes far longer than its use

function wallClockIn(zone) {
  if (!wallClocks.has(zone)) {
    const digits = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
    wallClocks.set(zone, new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", { timeZone: zone, hourCycle: "h23", ...digits }));
  }
  return wallClocks.get(zone);
}

function fieldsIn(zone, moment) {
  const part = Object.fromEntries(wallClockIn(zone).formatToParts(moment).map(({ type, value }) => [type, value]));
  return { date: `${part.year.padStart(4, "0")}-${part.month}-${part.day}`, time: `${part.hour}:${part.minute}` };
}

/** Of an hour that clocks show twice it is the first. */
function momentIn(zone, { date, time }) {
  const asIfUtc = (fields) => Date.parse(`${fields.date}T${fields.time.slice(0, 5)}Z`);
  const wall = asIfUtc({ date, time });
  if (Number.isNaN(wall)) return null;
  // How far a zone is from UTC changes within a day at most once: one of the two sides is right.
  const offsets = [-DAY_MS, DAY_MS].map((aside) => asIfUtc(fieldsIn(zone, new Date(wall + aside))) - (wall + aside));
  const fitting = offsets.map((offset) => wall - offset).filter((moment) => asIfUtc(fieldsIn(zone, new Date(moment))) === wall);
  return fitting.length ? new Date(Math.min(...fitting)) : null;
}

/** How long ago someone was here, roughly. */
export function ago(time, now = new Date()) {
  const minutes = Math.max(0, Math.round((now - new Date(time)) / 60_000));
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  const days = Math.round(hours / 24);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

/** Seconds as a person counts them down. */
export function inSeconds(ms) {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  return `${Math.ceil(seconds / 60)} min`;
}

function daysBetween(earlier, later) {
  const midnight = (date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((midnight(later) - midnight(earlier)) / 86_400_000);
}
