/** Booking lessons, changing them, and reading the lists of them. It changes the state by actions only. */

import { ApiError } from "./api.js";
import { unknownOf } from "./bookings.js";
import { createRepeatKey } from "./repeat_key.js";
import { messagesOf } from "./selectors.js";

const LESSONS_PAGE = 20;
/** Refusals which say that a booking is no longer what this page shows. */
const OUTDATED = new Set(["booking_closed", "booking_not_found", "booking_not_begun"]);

/**
 * @param api `{ instructor, bookings, booking, book, cancelBooking, moveBooking, completeBooking }`
 * @param once `(name, fetch, failed)` runs one fetch per name at a time.
 */
export function createLessons({ api, store, once }) {
  const keys = createRepeatKey();
  const unanswered = new Set(); // ids of bookings that were asked about in vain since the stream came to life
  const tell = (booking) => store.dispatch({ type: "booking_told", booking });

  /** Carry out what the person wants, once however often they press; rejects with an ApiError. */
  async function carryOut(request, ...given) {
    const key = keys.of([request.name, ...given]);
    try {
      const booking = await request(key, ...given);
      keys.settle();
      tell(booking);
      return booking;
    } catch (error) {
      // Unanswered, it may have been carried out: the next try has to be known as the same.
      if (error instanceof ApiError && !error.isTransient) keys.settle();
      throw error;
    }
  }

  async function change(request, booking, ...given) {
    try {
      return await carryOut(request, booking.id, ...given);
    } catch (error) {
      if (OUTDATED.has(error.code)) await lookUp(booking.id);
      throw error;
    }
  }

  async function lookUp(id) {
    try {
      tell(await api.booking(id));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      unanswered.add(id);
    }
  }

  return {
    /** What an instructor offers, to choose from, and when they are free. */
    profile: (instructorId) => api.instructor(instructorId),

    /** @param order the body of the request. */
    book: (order) => carryOut(api.book, order),
    cancel: (booking, reason) => change(api.cancelBooking, booking, reason),
    move: (booking, startsAt) => change(api.moveBooking, booking, startsAt.toISOString()),
    complete: (booking) => change(api.completeBooking, booking),

    /** Read the first page of a list, or the next. */
    list(tense) {
      const { isLoaded, cursor } = store.state.lessons[tense];
      if (isLoaded && cursor === null) return;
      void once(
        `lessons ${tense} ${cursor}`,
        async () => {
          const page = await api.bookings({ state: tense, limit: LESSONS_PAGE, cursor });
          const { items, next_cursor: nextCursor } = page;
          store.dispatch({ type: "lessons_listed", tense, after: cursor, items, nextCursor });
        },
        (error) => store.dispatch({ type: "lessons_unavailable", tense, problem: error.message }),
      );
    },

    forgetProblem: (tense) => store.dispatch({ type: "lessons_unavailable", tense, problem: null }),

    /** Ask about the bookings that messages of a thread are about, one after the other. */
    lookUpMentioned(conversationId) {
      const next = () =>
        unknownOf(store.state, messagesOf(store.state, conversationId)).find((id) => !unanswered.has(id));
      if (!next()) return;
      void once("bookings", async () => {
        for (let id = next(); id; id = next()) await lookUp(id);
      });
    },

    askAgain: () => unanswered.clear(),
  };
}
