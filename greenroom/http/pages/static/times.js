/** Moments in words, in the reader's language and time zone. */

const clockTime = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long" });
const dayMonthYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const shortDate = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const shortDateYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const weekdayAndDate = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
const span = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "numeric",
  minute: "2-digit",
  timeZoneName: "short",
});
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

/** From when to when, to the minute and with the zone's name at that time: clocks may change between now and then. */
export const spanOf = (start, end) => span.formatRange(new Date(start), new Date(end));

/** The reader's time zone by its name in the IANA database. */
export const zoneName = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A moment as the values of a date and a time field. */
export function fieldsOf(moment) {
  const padded = (number, length = 2) => String(number).padStart(length, "0");
  return {
    date: `${padded(moment.getFullYear(), 4)}-${padded(moment.getMonth() + 1)}-${padded(moment.getDate())}`,
    time: `${padded(moment.getHours())}:${padded(moment.getMinutes())}`,
  };
}

/** The moment that the values of a date and a time field name, or null: in the hour that clocks skip in spring, there is none. */
export function momentOf({ date, time }) {
  const moment = new Date(`${date}T${time}`);
  if (Number.isNaN(moment.getTime())) return null;
  const named = fieldsOf(moment);
  return named.date === date && named.time === time.slice(0, 5) ? moment : null;
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
