/** Lessons that were booked, as the page speaks of them. All pure. */

import { dayAndHour } from "./times.js";

/** Booked, and not over yet. */
export const isUpcoming = ({ status, ends_at }, now) => status === "booked" && new Date(ends_at) > now;

/** What somebody may do with a booking, `{ move, cancel, complete }`; the server decides, this only offers. */
export function permitted(me, booking, now) {
  const isBooked = booking.status === "booked";
  const hasBegun = new Date(booking.starts_at) <= now;
  return {
    move: isBooked && !hasBegun,
    cancel: isBooked && !hasBegun,
    complete: isBooked && hasBegun && booking.instructor_id === me.id,
  };
}

/** A booking in words, `{ id, title, when, status }`, or null where none is named. One we were not told of has no `when`. */
export function bookingInWords(state, bookingId, now) {
  if (!bookingId) return null;
  const booking = state.bookings[bookingId];
  if (!booking?.starts_at) return { id: bookingId, title: "About a booking", when: null, status: null };
  return {
    id: bookingId,
    title: titleOf(booking),
    when: dayAndHour(booking.starts_at, now),
    status: booking.status ?? null,
  };
}

/** The lesson of a conversation that is under way or next, `{ id, title, when, isUnderWay, more }`, or null. */
export function nextLesson(state, conversation, now) {
  const [next, ...others] = known(state)
    .filter((booking) => booking.conversation_id === conversation.id && isUpcoming(booking, now))
    .sort(bySoonest);
  if (!next) return null;
  return {
    id: next.id,
    title: titleOf(next),
    when: dayAndHour(next.starts_at, now),
    isUnderWay: new Date(next.starts_at) <= now,
    more: others.length,
  };
}

/** The soonest lesson of all, or null. */
export const soonest = (state, now) =>
  known(state)
    .filter((booking) => isUpcoming(booking, now))
    .sort(bySoonest)[0] ?? null;

/**
 * The lessons of a list, `upcoming` (soonest first) or `past` (latest first), as far as the list was read: those beyond
 * the last one read may be known one by one, and would hide that others between are not.
 */
export function lessonsOf(state, tense, now) {
  const { isLoaded, cursor, last } = state.lessons[tense];
  const inOrder = tense === "upcoming" ? bySoonest : (a, b) => bySoonest(b, a);
  return (isLoaded ? known(state) : Object.values(state.bookings).filter(({ starts_at }) => starts_at))
    .filter((booking) => isUpcoming(booking, now) === (tense === "upcoming"))
    .filter((booking) => cursor === null || last === null || inOrder(booking, last) <= 0)
    .sort(inOrder);
}

/** Ids of bookings that messages of a thread are about and of which we know nothing, or nothing sure; the newest first. */
export const unknownOf = (state, messages) =>
  [...new Set(messages.toReversed().map(({ booking_id }) => booking_id))].filter(
    (id) => id && (!state.bookings[id]?.starts_at || state.bookings[id].isStale),
  );

/** Why a booking is no longer to come, in words, or null while it is. */
export function outcomeOf(booking, me, other, now) {
  const by = booking.closed_by === me.id ? "you" : other;
  if (booking.status === "cancelled") return by ? `Cancelled by ${by}` : "Cancelled";
  if (booking.status === "completed") return "Completed";
  if (new Date(booking.ends_at) <= now) return "Over, not marked as given yet";
  return new Date(booking.starts_at) <= now ? "Under way" : null;
}

export const titleOf = (booking) => booking.title || "Lesson";

/** Those of which nothing newer may have been missed. */
const known = (state) => Object.values(state.bookings).filter(({ starts_at, isStale }) => starts_at && !isStale);

const bySoonest = (a, b) =>
  Date.parse(a.starts_at) - Date.parse(b.starts_at) || (a.id < b.id ? -1 : Number(a.id > b.id));
