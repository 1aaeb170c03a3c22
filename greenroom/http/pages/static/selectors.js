/** Questions the views ask of the state. All pure; see `store.js` for its shape. */

import { withOwn } from "./reactions.js";

const NOTHING = Object.freeze([]);

export const EMPTY_THREAD = Object.freeze({
  messages: NOTHING,
  stale: NOTHING, // shown until the thread was read anew after a gap
  hasMore: true,
  isLoaded: false,
  problem: null, // why reading failed, in words
});

/** Conversations of the chosen filter, newest activity first, ties by id. */
export function listed(state) {
  return Object.values(state.conversations)
    .filter((conversation) => conversation.state === state.filter)
    .sort((a, b) => compare(b.last_message_at, a.last_message_at) || compare(b.id, a.id));
}

export const selectedConversation = (state) => state.conversations[state.selected] ?? null;

export const threadOf = (state, conversationId) => state.threads[conversationId] ?? EMPTY_THREAD;

/** The messages to show: while a thread is read anew after a gap, what it held before. */
export function messagesOf(state, conversationId) {
  const thread = threadOf(state, conversationId);
  return thread.isLoaded || !thread.stale.length ? thread.messages : thread.stale;
}

/** Messages of ours the server has not acknowledged, oldest first. */
export const pendingOf = (state, conversationId) => state.pending[conversationId] ?? NOTHING;

const isLive = (state) => state.connection.status === "live";

/** Only while events arrive can anybody be said to be there. */
export const isOnline = (state, user) => isLive(state) && (state.presence[user.id]?.online ?? false);

/** `online`, `offline`, or `unknown` for somebody who was there when the connection was lost. */
export function presenceOf(state, user) {
  if (isOnline(state, user)) return "online";
  return !isLive(state) && state.presence[user.id]?.wasOnline ? "unknown" : "offline";
}

/** RFC 3339 time at which a user was last seen, or null. */
export const lastActiveAt = (state, user) => state.presence[user.id]?.lastActiveAt ?? null;

/** The reactions to a message, with ours as we asked for them. */
export const reactionsOf = (state, message) =>
  Object.entries(state.reacting[message.id] ?? {}).reduce(
    (reactions, [emoji, isAdded]) => withOwn(reactions, emoji, state.me.id, isAdded),
    message.reactions,
  );

export const messageOf = (state, conversationId, messageId) =>
  messagesOf(state, conversationId).find(({ id }) => id === messageId) ?? null;

export const isTyping = (state, conversationId) => conversationId in state.typing;

/** How far a message of ours has come: `sent`, `delivered` or `read`. */
export function receiptOf(state, message) {
  if (message.seq <= (state.conversations[message.conversation_id]?.other_last_read_seq ?? 0)) return "read";
  if (message.seq <= (state.delivered[message.conversation_id] ?? 0)) return "delivered";
  return "sent";
}

function compare(a, b) {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}
