/**
 * Messages on their way to the server: one at a time per conversation, so that they arrive in the order they were written.
 *
 * Every try of a message carries the same client id, so the server stores it once however often it is tried. What may
 * succeed later is tried again by itself; what was refused, or failed too often, is marked failed and left to the person.
 */

import { ApiError } from "./api.js";
import { randomId } from "./repeat_key.js";
import { pendingOf } from "./selectors.js";

/** With the waits below, about half a minute of trying. */
const ATTEMPTS_MAX = 6;
const WAIT_FIRST_MS = 1_000;
const WAIT_MAX_MS = 10_000;

/**
 * @param send `(conversationId, { content, clientId, bookingId })`, resolves to the stored message or rejects with an ApiError.
 */
export function createOutbox({ store, send }) {
  const draining = new Set();
  const sleepers = new Set();

  /** @param bookingId what the message is about, or null. */
  function enqueue(conversationId, content, bookingId) {
    const clientId = randomId();
    const at = new Date().toISOString();
    store.dispatch({ type: "message_queued", conversationId, clientId, content, at, bookingId });
    void drain(conversationId);
  }

  function retry(conversationId, clientId) {
    store.dispatch({ type: "message_retried", conversationId, clientId });
    void drain(conversationId);
  }

  /** Try again at once: the server has just been heard. */
  function wake() {
    for (const wakeUp of sleepers) wakeUp();
    for (const conversationId of Object.keys(store.state.pending)) void drain(conversationId);
  }

  async function drain(conversationId) {
    if (draining.has(conversationId)) return;
    draining.add(conversationId);
    try {
      for (let next = first(conversationId); next; next = first(conversationId))
        await deliver(conversationId, next);
    } finally {
      draining.delete(conversationId);
    }
  }

  const first = (conversationId) =>
    pendingOf(store.state, conversationId).find(({ status }) => status === "sending");

  async function deliver(conversationId, message) {
    const { clientId } = message;
    for (let attempt = 1; isPending(conversationId, clientId); attempt += 1) {
      try {
        const stored = await send(conversationId, message);
        store.dispatch({ type: "message_acknowledged", conversationId, clientId, message: stored });
        return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!error.isTransient || attempt === ATTEMPTS_MAX) {
          store.dispatch({ type: "message_failed", conversationId, clientId, problem: error.message });
          return;
        }
        await sleep(
          Math.max((error.retryAfterS ?? 0) * 1000, Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** (attempt - 1))),
        );
      }
    }
  }

  /** The stream may bring the message although the answer to its sending was lost. */
  const isPending = (conversationId, clientId) =>
    pendingOf(store.state, conversationId).some((message) => message.clientId === clientId);

  function sleep(ms) {
    return new Promise((resolve) => {
      function wakeUp() {
        clearTimeout(timer);
        sleepers.delete(wakeUp);
        resolve();
      }
      const timer = setTimeout(wakeUp, ms);
      sleepers.add(wakeUp);
    });
  }

  return { enqueue, retry, wake };
}
