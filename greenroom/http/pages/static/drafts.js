/** What somebody has begun to write, by conversation: it stays there when they come back, in this tab or another. */

import { createShelf } from "./shelf.js";

/** Conversations with something begun in them. */
const COUNT_MAX = 100;
/** Characters kept of one: four times of what can be sent, so that what is too long is not cut at once. */
const LENGTH_MAX = 20_000;

/** @param owner id of who writes. */
export function createDrafts(owner) {
  const shelf = createShelf({ kind: "draft", owner, countMax: COUNT_MAX });
  return {
    of: (conversationId) => shelf.get(conversationId) ?? "",
    keep(conversationId, text) {
      if (text.trim()) shelf.put(conversationId, text.slice(0, LENGTH_MAX));
      else shelf.remove(conversationId);
    },
    count: () => shelf.entries().length,
    clear: shelf.clear,
  };
}
