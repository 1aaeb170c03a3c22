/** Figures and moments in words. */

const count = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const number = (value) => count.format(value);

/** A length of time given in milliseconds, with two or three figures that matter. */
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 0.05) return "0 ms";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

/** A share of 1. */
export function percent(share) {
  if (share > 0 && share < 0.0005) return "<0.1 %";
  return `${share > 0 && share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;
}

/** Date and time, for records that are read days later. */
export const whenExactly = (time) => (time ? moment.format(new Date(time)) : "–");

const momentInZone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

/** The same with the reader's time zone, where it is compared with what servers wrote. */
export const whenInZone = (time) => momentInZone.format(new Date(time));

/** The moment as servers and their logs write it: in UTC. */
export const inUtc = (time) => new Date(time).toISOString().replace(".000Z", "Z");

/** The time of day today, the whole moment otherwise. */
export function when(time, now = new Date()) {
  if (!time) return "–";
  const date = new Date(time);
  return date.toDateString() === now.toDateString() ? clock.format(date) : moment.format(date);
}

/** Of an account all but the end of its id is left out: it is as long as all other cells of a row together. */
export const shortAccount = (id) => `account …${id.slice(-6)}`;

export const plural = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;
