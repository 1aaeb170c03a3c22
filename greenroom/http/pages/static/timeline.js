/** A thread as the rows it is shown in: pure, so that grouping and separators can be tested without a document. */

import { bookingInWords } from "./bookings.js";
import { messagesOf, pendingOf, reactionsOf, receiptOf } from "./selectors.js";
import { dayOf } from "./times.js";

/** Messages of one person this close together belong to one group. */
const GROUP_MS = 5 * 60_000;

/**
 * Return the rows of a conversation, oldest first, each with a `key` that stays the same from a message's sending to its
 * acknowledgement, so that its element does too:
 *
 * - `{ type: "day", key, label }`
 * - `{ type: "divider", key }`: everything below arrived since the person was last here.
 * - `{ type: "system", key, message, booking }`
 * - `{ type: "message", key, message, author, isMine, isEditing, receipt, reactions, booking, startsGroup, endsGroup }`;
 *   `reactions` are `{ emoji, count, isMine, names }`
 * - `{ type: "pending", key, message, booking, startsGroup, endsGroup }`
 */
export function timelineOf(state, conversationId, now = new Date()) {
  const rows = [];
  const messages = messagesOf(state, conversationId);
  // Who has answered has read what was before the answer.
  const readTo = Math.max(
    state.divider ?? 0,
    messages.findLast(({ sender_id }) => sender_id === state.me.id)?.seq ?? 0,
  );
  let isDivided = state.divider === null;
  let day = null;
  let before = null;

  function separate(time) {
    const label = dayOf(time, now);
    if (label === day) return;
    day = label;
    before = null;
    rows.push({ type: "day", key: `day:${label}`, label });
  }

  function group(row, author, time) {
    const isNear =
      before !== null && before.author === author && Date.parse(time) - Date.parse(before.time) < GROUP_MS;
    if (isNear) before.row.endsGroup = false;
    const grouped = { ...row, startsGroup: !isNear, endsGroup: true };
    before = { row: grouped, author, time };
    rows.push(grouped);
  }

  for (const message of messages) {
    separate(message.created_at);
    const isMine = message.sender_id === state.me.id;
    if (!isDivided && !isMine && message.seq > readTo) {
      isDivided = true;
      before = null;
      rows.push({ type: "divider", key: "divider" });
    }
    const booking = bookingInWords(state, message.booking_id, now);
    if (message.kind === "system") {
      before = null;
      rows.push({ type: "system", key: `seq:${message.seq}`, message, booking });
    } else {
      const row = {
        type: "message",
        key: isMine && message.client_id ? `own:${message.client_id}` : `seq:${message.seq}`,
        message,
        author: isMine ? "You" : (state.conversations[conversationId]?.other.display_name ?? ""),
        isMine,
        isEditing: state.editing?.messageId === message.id,
        receipt: isMine ? receiptOf(state, message) : null,
        reactions: chipsOf(state, conversationId, message),
        booking,
      };
      group(row, message.sender_id, message.created_at);
    }
  }
  for (const message of pendingOf(state, conversationId)) {
    separate(message.at);
    const booking = bookingInWords(state, message.bookingId, now);
    group({ type: "pending", key: `own:${message.clientId}`, message, booking }, state.me.id, message.at);
  }
  return rows;
}

function chipsOf(state, conversationId, message) {
  if (message.deleted_at) return [];
  const other = state.conversations[conversationId]?.other.display_name ?? "Somebody";
  return reactionsOf(state, message).map(({ emoji, user_ids }) => ({
    emoji,
    count: user_ids.length,
    isMine: user_ids.includes(state.me.id),
    names: user_ids
      .map((id) => (id === state.me.id ? "You" : other))
      .sort((a) => (a === "You" ? -1 : 1))
      .join(" and "),
  }));
}
