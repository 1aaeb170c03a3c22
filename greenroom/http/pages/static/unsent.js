/** Messages on their way that must not be lost with their tab: kept until the server has them, or the person discards them. */

import { createShelf } from "./shelf.js";

/** All conversations together. */
const COUNT_MAX = 500;
/** What was written longer ago is not sent without asking: it may make no sense any more. */
const SENT_UNASKED_MS = 24 * 3_600_000;
const TOO_OLD = "This was written a while ago and never reached the server. Send it now?";

/**
 * Put what an earlier tab left into the store, and keep what is added to it from now on.
 *
 * Another tab may have the same messages on their way; the server tells them by their client ids. What one tab is rid of,
 * sent or discarded, the others are too.
 *
 * @returns `{ count, stop, forget }`; `forget` stops too, and lets go of all that is kept.
 */
export function keepUnsent(store, { now = Date.now } = {}) {
  const shelf = createShelf({ kind: "unsent", owner: store.state.me.id, countMax: COUNT_MAX, now });
  const pending = {};
  for (const [clientId, { conversationId, ...message }, at] of shelf.entries()) {
    const isOld = message.status === "sending" && now() - at > SENT_UNASKED_MS;
    const restored = isOld ? { ...message, status: "failed", problem: TOO_OLD } : message;
    pending[conversationId] = [...(pending[conversationId] ?? []), restored];
  }
  if (Object.keys(pending).length) store.dispatch({ type: "pending_restored", pending });

  let kept = byClientId(store.state.pending);
  let isStopped = false;
  store.subscribe(({ pending: current }) => {
    if (isStopped) return;
    const next = byClientId(current);
    for (const [clientId, { conversationId, record }] of next)
      if (kept.get(clientId)?.record !== record)
        shelf.put(clientId, { ...record, conversationId }, Date.parse(record.at));
    for (const clientId of kept.keys()) if (!next.has(clientId)) shelf.remove(clientId);
    kept = next;
  });
  const stopListening = shelf.onRemoved((clientId) => {
    const message = kept.get(clientId);
    if (message) store.dispatch({ type: "message_discarded", conversationId: message.conversationId, clientId });
  });

  function stop() {
    isStopped = true;
    stopListening();
  }

  return {
    count: () => kept.size,
    stop,
    forget() {
      stop(); // first: what fails only now must not be kept again
      shelf.clear();
    },
  };
}

const byClientId = (pending) =>
  new Map(
    Object.entries(pending).flatMap(([conversationId, messages]) =>
      messages.map((record) => [record.clientId, { conversationId, record }]),
    ),
  );
