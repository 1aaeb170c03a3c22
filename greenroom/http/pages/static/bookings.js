/** What conversations show of bookings. All pure. */

import { dayAndHour } from "./times.js";

const OVER = new Set(["cancelled", "completed"]);

/** A booking in words, `{ title, when, status }`, or null where none is named. One we were not told of has no `when`. */
export function bookingInWords(state, bookingId, now) {
  if (!bookingId) return null;
  const booking = state.bookings[bookingId];
  if (!booking?.starts_at) return { title: "About a booking", when: null, status: null };
  return { title: titleOf(booking), when: dayAndHour(booking.starts_at, now), status: booking.status ?? null };
}

/** The next lesson of a conversation, `{ title, when }`, or null. */
export function nextLesson(state, conversation, now) {
  const listed = new Set(conversation.upcoming_bookings.map(({ id }) => id));
  const [next] = Object.values(state.bookings)
    .filter((booking) => listed.has(booking.id) || booking.conversation_id === conversation.id)
    .filter(({ starts_at, status }) => starts_at && new Date(starts_at) > now && !OVER.has(status))
    .sort((a, b) => Date.parse(a.starts_at) - Date.parse(b.starts_at));
  return next ? { title: titleOf(next), when: dayAndHour(next.starts_at, now) } : null;
}

const titleOf = (booking) => booking.title || "Lesson";
