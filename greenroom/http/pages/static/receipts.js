/** Telling the server how far we have received and read: only ever forward, one request at a time per conversation. */

import { ApiError } from "./api.js";

/**
 * Return `mark(conversationId, seq)`, which tells the server the highest `seq` it was called with.
 *
 * Calls made while a request is under way are merged into the next one. After a failure nothing is retried by itself:
 * the next call (a new message, the page becoming visible) carries the mark along.
 *
 * @param tell `(conversationId, seq)`, rejects with an ApiError.
 */
export function createMarker(tell) {
  const marks = new Map(); // conversation id → { wanted, told, isTelling }

  return async function mark(conversationId, seq) {
    const known = marks.get(conversationId) ?? { wanted: 0, told: 0, isTelling: false };
    marks.set(conversationId, known);
    known.wanted = Math.max(known.wanted, seq);
    if (known.isTelling) return;
    known.isTelling = true;
    try {
      while (known.told < known.wanted) {
        const reached = known.wanted;
        await tell(conversationId, reached);
        known.told = reached;
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    } finally {
      known.isTelling = false;
    }
  };
}
