/** A search's answer in words: what was understood, what is missing, and why a lesson is among the results. All pure. */

import { moneyOf } from "./money.js";
import { withWords } from "./sentence.js";

/** What a piece of the sentence is about. */
export const KINDS = {
  service: "Lesson",
  place: "Place",
  price: "Price",
  age: "Age",
  level: "Level",
  when: "Time",
  online: "How",
  denied: "Not wanted",
};

/** What is denied says so itself: "no beginners". */
export const saysItself = (kind) => kind === "denied";

/** A piece as something to go without: "price: Up to $80". */
export const pieceInWords = ({ kind, label }) => (saysItself(kind) ? label : `${KINDS[kind].toLowerCase()}: ${label}`);

const LEVELS = { beginner: "Beginner", intermediate: "Intermediate", advanced: "Advanced" };
const DAYS = { mon: "Monday", tue: "Tuesday", wed: "Wednesday", thu: "Thursday", fri: "Friday", sat: "Saturday", sun: "Sunday" };
/** "tues", "Sat.", "thur": the first three letters decide. */
const DAY_CUT_SHORT = /\b(mon|tue|wed|thu|fri|sat|sun)(?:s|r|rs)?\b\.?/gi;
const RELATIVE = {
  today: "Today",
  tomorrow: "Tomorrow",
  this_week: "This week",
  next_week: "Next week",
  this_weekend: "This weekend",
  next_weekend: "Next weekend",
};
const MONEY_ASSUMED = "USD";
/** Names of places in one piece. */
const PLACES_MAX = 4;
/** From here on nobody goes there for a lesson. */
const FAR_KM = 60;

/**
 * What was understood, piece by piece.
 *
 * A kind that one piece says is told as it was understood; where several do, each is repeated in its own words.
 *
 * @returns `[{ kind, label, parts }]`, in the order of the sentence.
 */
export function understoodOf({ parsed, location }) {
  const told = parsed.parts.filter(({ kind }) => kind in KINDS);
  const words = {
    service: null,
    place: placeInWords(location),
    price: priceInWords(parsed.price),
    age: agesInWords(parsed),
    level: parsed.levels.map((level) => LEVELS[level]).join(", "),
    when: timesInWords(parsed),
    online: { true: "Online", false: "In person" }[parsed.online],
  };
  const corrections = new Map(correctionsOf(parsed).map(({ written, taken }) => [written, taken]));
  return told.map((part) => {
    const alike = told.filter(({ kind }) => kind === part.kind);
    const isAlone = alike.length === 1;
    const isDenial = DENIES.test(part.text);
    // "Not on friday" would be the six other days; a date is told as it was understood.
    const isClearer = isDenial && part.kind === "when" && (parsed.denied_times ?? []).length === 0;
    // Of "no kids, I'm 45" the second is whom it is for.
    const isOnlyAsked = part.kind === "age" && !isDenial && alike.filter(({ text }) => !DENIES.test(text)).length === 1;
    const own = OWN_WORDS[part.kind]?.(part.text, corrections) ?? part.text;
    return { kind: part.kind, label: (((isAlone && !isClearer) || isOnlyAsked) && words[part.kind]) || own, parts: [part] };
  });
}

/** How a denial begins: "not on friday", "no kids". */
const DENIES = /^(?:but )?(?:not?|never|nor|except(?:ing)?|without|avoid(?:ing)?|excluding|barring|minus|(?:ca|do|does|is|wo)n[’']?t|cannot)\b/iu;

/** A piece in the words of who wrote it. */
const OWN_WORDS = {
  when: (text) => withWholeDays(text),
  age: (text) => capitalised(text),
  level: (text) => capitalised(text),
  online: (text) => capitalised(text),
  service: (text, corrections) => withWords(text, corrections),
};

function placeInWords({ outcome, region, regions, text }) {
  if (outcome === "ambiguous") return namesOf(regions);
  if (outcome === "resolved" && region) return namesOf(regions.length ? regions : [region]);
  return text ? `“${text}”` : null;
}

/** Of places that are meant alike; each name once, and after a few only how many more there are. */
function namesOf(regions) {
  const names = [...new Set(regions.map(({ name }) => name))];
  const more = names.length - PLACES_MAX;
  if (more > 1) names.splice(PLACES_MAX, more, `${more} more`);
  return names.join(" or ");
}

/** What a person should know of how the place was found, or null. */
export function placeNote({ outcome, tier, text, region, regions }) {
  if (outcome === "not_looked_up") return `There was no time to look up where “${text}” is, so no lessons are shown.`;
  if (outcome === "unknown") return `No place called “${text}” is known here, so lessons anywhere are shown.`;
  if (outcome === "ambiguous") return `“${text}” may mean several places. Lessons in any of them are shown; choose one:`;
  // An exact name or a common short one needs no word; a guess does.
  if (outcome === "resolved" && tier >= 3) return `“${text}” was taken to mean ${namesOf(regions.length ? regions : [region])}.`;
  return null;
}

/** What leaving places out comes to, or null where none is. */
export function deniedNote({ parsed, location }) {
  if (location.excluded.length === 0) return null;
  const others = parsed.online === false ? "who comes elsewhere too stays" : "who comes elsewhere too, or teaches online, stays";
  return `Left out is what can only be had in ${namesOf(location.excluded)}; ${others}.`;
}

/** Whether the sentence asks for what is near without saying where that is. */
export const saysNearMe = ({ parsed, location }) => parsed.near_me && location.outcome === "not_asked";

/** What was said and asks for nothing, or not for what was meant. */
const NOTICES = {
  no_such_date: (text) => `“${text}” is no day or time that exists, so it was left out.`,
  no_time_left: (text) => `“${text}” leaves no time at all.`,
  past: (text) => `“${text}” is over.`,
  not_heeded: (text) => `“${text}” can’t be searched for, so it was left out.`,
  unknown_place: (text) => `No place called “${text}” is known here, so none was left out.`,
  not_only: (text) => `“${text}”: others may come to some of these lessons too.`,
  corrected: (text, taken) => `Searched for “${taken}”: no lesson has “${text}”.`,
  not_understood: (text) => `“${text}” was not understood: no lesson has it.`,
  nothing_understood: (text) => `“${text}” does not say what you would like to learn, so all lessons are shown.`,
};

/** What a person should know of what was not understood, in sentences; of a kind that this page is too old for, nothing. */
export const noticesOf = ({ notices }) => notices.filter(({ kind }) => kind in NOTICES).map(({ kind, text, taken }) => NOTICES[kind](text, taken));

/** Words that were taken for others, as lessons don't have them: `[{ written, taken }]`. */
export const correctionsOf = ({ notices = [] }) =>
  notices.filter(({ kind }) => kind === "corrected").map(({ text, taken }) => ({ written: text, taken }));

/**
 * Who asked for what is near and finds it far away, in words; null where something is near, or distances are of a place that was named.
 *
 * @param results those that are shown.
 * @param isAll whether there are no further ones.
 */
export function farNote(results, { location }, { isAll }) {
  const distances = results.map(({ distance_km: km }) => km).filter((km) => km !== null);
  const nearest = Math.min(...distances);
  if (location.outcome === "resolved" || location.outcome === "ambiguous" || !distances.length || nearest < FAR_KM) return null;
  return `${isAll ? "Nobody near you" : "None of these is near you"}: the nearest in person is ${kilometresOf(nearest)} away.`;
}

/**
 * Whether lessons of any city are shown though they are had somewhere: no place was named, no city chosen, and it is not known where the
 * asker is.
 */
export const isOfAnyCity = (results, { parsed, location }) =>
  location.outcome === "not_asked" && parsed.online !== true && results.some(({ in_person }) => in_person);

function priceInWords(price) {
  if (!price) return null;
  const { min_cents: least, max_cents: most, unit } = price;
  const money = (cents) => moneyOf(cents, price.currency ?? MONEY_ASSUMED);
  const per = unit === "hour" ? " an hour" : "";
  if (least === null) return `Up to ${money(most)}${per}`;
  if (most === null) return `From ${money(least)}${per}`;
  return least === most ? `${money(least)}${per}` : `${money(least)} to ${money(most)}${per}`;
}

/** Ages, both inclusive. */
export function yearsOf({ min, max }) {
  if (max === null) return min > 0 ? `Age ${min} and up` : "Any age";
  if (min === max) return `Age ${min}`;
  return min > 0 ? `Ages ${min} to ${max}` : `Up to age ${max}`;
}

/** Who learns, and whom it must not be for besides: "18 and up only". */
function agesInWords({ age, only_ages: only }) {
  if (!age) return null;
  const years = capitalised(yearsOf(age).replace(/^Ages? /, "")); // the piece is called so already
  if (!only) return years;
  if (only.min === age.min && only.max === age.max) return `${years} only`;
  const others = [only.min > 0 && `younger than ${only.min}`, only.max !== null && `older than ${only.max}`].filter(Boolean);
  return `${years}, nobody ${others.join(" or ")}`;
}

/** Of the ages that were asked for, those that are taught: of children it may be from eight on. */
const agesInCommon = (asked, taught) => ({
  min: Math.max(asked.min, taught.min),
  max: asked.max === null || taught.max === null ? asked.max ?? taught.max : Math.min(asked.max, taught.max),
});

/** When somebody would like a lesson, and when not, in words; empty for any time. Hours are by the clock where it is given. */
export function timesInWords({ times, denied_times: denied = [] }) {
  const asked = times.map(whenInWords).join(" or ");
  const not = denied.map((when) => `not ${when.relative ? whenInWords(when).replace(/^./, (first) => first.toLowerCase()) : whenInWords(when)}`);
  return capitalised([asked, not.join(" or ").replaceAll(" or not ", " or ")].filter(Boolean).join(", "));
}

/** A piece that says when, in its own words but for days that are cut short: "on tues sat" are Tuesday, Saturday. */
function withWholeDays(text) {
  const whole = text
    .replace(/^(?:on|every) /i, "")
    .replace(DAY_CUT_SHORT, (_, day) => DAYS[day.toLowerCase()])
    .replace(/day (?=[A-Z])/g, "day, ");
  return capitalised(whole);
}

function whenInWords(when) {
  const days = [
    when.relative && RELATIVE[when.relative],
    when.on && (when.until ? `${dayInWords(when.on)} to ${dayInWords(when.until)}` : dayInWords(when.on)),
    daysInWords(when.weekdays),
  ];
  return [...days, hoursInWords(when.from_minute, when.to_minute)].filter(Boolean).join(", ");
}

/** Days of the week, in order: "Saturday, Sunday", "Monday to Friday", "Any day but Friday". */
function daysInWords(weekdays) {
  const week = Object.keys(DAYS);
  const missing = week.filter((day) => !weekdays.includes(day));
  const [first, last] = [weekdays[0], weekdays.at(-1)];
  const isRun = week.indexOf(last) - week.indexOf(first) === weekdays.length - 1;
  if (weekdays.length > 2 && isRun) return `${DAYS[first]} to ${DAYS[last]}`;
  if (missing.length === 1) return `Any day but ${DAYS[missing[0]]}`;
  return weekdays.map((day) => DAYS[day]).join(", ");
}

const dayInWords = (day) => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(day));

function hoursInWords(from, to) {
  const clock = (minute) =>
    new Intl.DateTimeFormat(undefined, { timeStyle: "short", timeZone: "UTC" }).format(new Date(minute * 60_000));
  if (from === null && to === null) return null;
  if (from === null) return `until ${clock(to)}`;
  // Midnight as an end means the end of the day, as nothing does.
  return to === null || to === 1440 ? `from ${clock(from)}` : `${clock(from)} to ${clock(to)}`;
}

/** Reasons that make an answer no worse, or only look as if they did. */
const HARMLESS = new Set(["text_strong", "not_needed", "override"]);

/** What is missing from an answer when a stage was left out; stages that mean the same to a person say the same. */
const MISSING = {
  parse: "your sentence was read word by word",
  model_parse: "your sentence was read by simple rules",
  burst1: "not all of your sentence was looked up",
  embedding: "lessons were found by their words and not by their meaning",
  vector: "lessons were found by their words and not by their meaning",
  location: "the place was not looked up",
  tier4: "the place was looked up by its name only",
  tier5: "the place was looked up by its name only",
  burst2: "not every lesson was looked at",
  ranking: "the order is a rough one",
  hydration: "some details are missing",
};

const BECAUSE = {
  budget: "To answer in time, ",
  timeout: "To answer in time, ",
  busy: "Many people are searching just now, so ",
  high_load: "Many people are searching just now, so ",
  failed: "A part of the search does not work just now, so ",
};

/** What a degraded answer lacks, and why, in sentences; none for one that is whole. */
export function missingOf({ degraded, skipped }) {
  if (!degraded) return [];
  // Rules read most sentences as well as a model: that there was no time for one is not worth a word, that it is away is.
  const isNoLoss = ({ reason, stage }) => stage === "model_parse" && reason !== "failed";
  const isTold = (skip) => !HARMLESS.has(skip.reason) && skip.reason !== "fallback" && skip.stage in MISSING && !isNoLoss(skip);
  const known = skipped.filter(isTold);
  const sentences = known.map(({ stage, reason }) => capitalised(`${BECAUSE[reason] ?? ""}${MISSING[stage]}.`));
  const simpler = skipped.some(({ reason }) => reason === "fallback") ? ["Meaning was compared in a simpler way than usual."] : [];
  return [...new Set([...sentences, ...simpler])];
}

/** Whether there was no time to look for lessons at all, or at those that were found before: then there may be some all the same. */
export const wasCutShort = ({ results, meta }) =>
  results.length === 0 &&
  meta.budget.skipped.some(({ stage, reason }) => ["burst1", "burst2", "hydration"].includes(stage) && !HARMLESS.has(reason));

/** Why a lesson is among the results, in a line. */
export function reasonsOf(result, { parsed, location }) {
  const areas = new Set(result.instructor.areas);
  const place = location.regions.find(({ name }) => areas.has(name));
  const { text, vector } = result.matched;
  const reasons = [
    text > 0 && "matches your words",
    vector > 0 && "similar in meaning",
    place && `comes to ${place.name}`,
    parsed.times.length + (parsed.denied_times ?? []).length > 0 && "has free time then",
    parsed.age && result.ages && `teaches ${yearsOf(agesInCommon(parsed.age, result.ages)).toLowerCase()}`,
  ].filter(Boolean);
  // "Hello" asks for nothing that a lesson could fit.
  const isAsked = parsed.parts.some(({ kind }) => kind in KINDS);
  const whyElse = parsed.service ? "the kind of lesson you look for" : isAsked ? "fits what you ask for" : "one of all lessons";
  return capitalised(reasons.join(" · ") || whyElse);
}

/** How soon somebody answers, roughly. */
export function answersIn(minutes) {
  if (minutes === null) return null;
  if (minutes <= 10) return "Answers within minutes";
  if (minutes < 60) return `Answers in about ${Math.round(minutes / 5) * 5} min`;
  if (minutes < 24 * 60) return `Answers in about ${Math.round(minutes / 60)} h`;
  return `Answers in about ${Math.round(minutes / 1440)} d`;
}

export const levelsOf = (levels) => (levels.length === 3 ? "All levels" : levels.map((level) => LEVELS[level]).join(", "));

/** Where the lesson is given. */
export function placeOf({ online, in_person }) {
  if (online && in_person) return "Online or in person";
  if (online) return "Online";
  return in_person ? "In person" : null;
}

/** A distance of straight lines, in the reader's way of writing numbers. */
const kilometresOf = (km) => `${new Intl.NumberFormat(undefined, { maximumFractionDigits: km < 100 ? 1 : 0 }).format(km)} km`;

/**
 * How far it is to where a lesson can be had, from what to what; null where that says nothing.
 *
 * What the server measures is from the place that was named, else from where the asker is, to the middle of the nearest area that the
 * instructor comes to. Who comes to the place itself, or to all of the city, comes there however far its middle is.
 *
 * @param isPositionKnown whether it was told where the asker is.
 * @param cities those that have a name here.
 */
export function wayTo({ distance_km: km, instructor }, { parsed, location }, { isPositionKnown, cities }) {
  if (km === null) return null;
  const areas = new Set(instructor.areas);
  const asked = location.regions;
  const isOneCity = new Set(asked.map(({ city }) => city)).size === 1;
  const comesToCity = cities.some(({ name }) => areas.has(name));
  if (isOneCity) {
    const [from] = asked;
    const within = from.id.split("/").slice(0, -1).map(slugOf);
    const comesThere = asked.some(({ name }) => areas.has(name)) || [...areas].some((name) => within.includes(slugOf(name)));
    // Without "near" everybody who is found comes there; and of a borough the middle tells nothing.
    if (!parsed.near || comesThere || comesToCity || from.kind !== "neighbourhood") return null;
    return `Nearest area ${kilometresOf(km)} from ${from.name}`;
  }
  if (!isPositionKnown || (comesToCity && km < FAR_KM)) return null;
  return `Nearest area ${kilometresOf(km)} from you`;
}

const slugOf = (name) => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");

/**
 * How many were found, for the eye and the ear.
 *
 * @param isAll whether there is no further page: of very many only the best are put in order, and the others can't be had.
 */
export function countOf(shown, total, { isAll }) {
  if (total === 0) return "No lessons found";
  if (total === 1) return "1 lesson found";
  if (shown >= total) return `${number(total)} lessons found`;
  return `${number(total)} lessons found, ${isAll ? "the best " : ""}${number(shown)} shown`;
}

const number = (value) => new Intl.NumberFormat().format(value);

const capitalised = (words) => words.charAt(0).toUpperCase() + words.slice(1);
