/**
 * What the page knows, as one plain value, and the only function that may change it.
 *
 * `reduce(state, action)` is pure: no clock, no network, no document. Three sources meet in it, in any order: the
 * snapshot of `/sync`, answers to requests, and the event stream. Three rules reconcile them:
 *
 * 1. A durable event is applied once: an id seen before is dropped. (Ids are opaque; they are only compared.)
 * 2. A message is replaced only by a higher `version` of itself, whichever source was faster.
 * 3. An answer never overwrites a conversation that the stream has taken further.
 */

import { withOwn } from "./reactions.js";
import { NO_SEARCH, SEARCH_ACTIONS } from "./search_state.js";
import { EMPTY_THREAD, isTyping, pendingOf, threadOf } from "./selectors.js";

/** Event ids remembered to recognise a repetition; far more than a stream repeats after a resume. */
const RECENT_IDS_MAX = 512;
/** Messages held per thread; beyond the bound the oldest are let go, and load again on scrolling up. */
const THREAD_MESSAGES_MAX = 1000;
const THREAD_MESSAGES_KEPT = 500;
/** Threads held besides the open one, so that going back to one is instant. */
const THREADS_MAX = 12;
/** An indicator that is not renewed goes out by itself; the server lets it live as long. */
const TYPING_MS = 6000;
/** Bookings held: years of lessons; those that began longest ago are let go. */
const BOOKINGS_MAX = 1000;

const UNREAD_LESSONS = Object.freeze({ isLoaded: false, cursor: null, last: null, problem: null });

const UNREAD_PAGES = Object.freeze({
  active: { cursor: null, isComplete: false },
  archived: { cursor: null, isComplete: false },
  trashed: { cursor: null, isComplete: false }, // no snapshot holds any of these
});

/** What is said of an edit whose message has changed below it. */
const changedMeanwhile = ({ content }) =>
  `It was changed elsewhere meanwhile and says: “${content}” Save again to replace that.`;

export const initialState = Object.freeze({
  phase: "starting", // starting | signed-out | signed-in
  me: null,
  notice: null, // why the log-in page is shown, in words
  connection: { status: "connecting", attempt: 0 },
  isSynced: false,
  conversations: {}, // id → conversation
  wanted: {}, // id of a conversation to be fetched → how often events spoke of it meanwhile
  pages: UNREAD_PAGES, // filter → how far the list was read beyond the snapshot
  totalUnread: 0,
  presence: {}, // user id → { online, lastActiveAt }
  typing: {}, // conversation id → when the indicator goes out, in ms
  delivered: {}, // conversation id → highest seq that reached the other participant
  threads: {}, // conversation id → { messages, stale, hasMore, isLoaded, problem }
  pending: {}, // conversation id → [{ clientId, content, at, bookingId, status, problem }], oldest first
  reacting: {}, // message id → emoji → whether ours is to be on it: asked for, not confirmed
  editing: null, // { conversationId, messageId, version, isSaving, problem }: the message being edited, of which version
  bookings: {}, // id → booking, in the latest version told; `isStale` if a later one may have been missed
  lessons: { upcoming: UNREAD_LESSONS, past: UNREAD_LESSONS }, // how far each list was read: { isLoaded, cursor, last, problem }
  tense: null, // the list of lessons that is open: upcoming | past
  search: NO_SEARCH, // see search_state.js
  about: {}, // conversation id → id of the booking that the next message will be about
  filter: "active",
  selected: null, // conversation id
  isNotFound: false, // the selected conversation is none of ours
  divider: null, // the last seq read when the selected thread was opened with something unread in it
  recentIds: [],
});

/**
 * Return the state after `action`; the same object if nothing changed.
 *
 * @throws {TypeError} the action's type is unknown.
 */
export function reduce(state, action) {
  const handle = ACTIONS[action.type];
  if (!handle) throw new TypeError(`unknown action: ${action.type}`);
  // What arrives after the end of a session belongs to nobody.
  if (state.phase !== "signed-in" && !action.type.startsWith("signed_")) return state;
  return handle(state, action);
}

/** Hold a state and tell subscribers when it changed: once per burst of dispatches, after the burst. */
export function createStore(state = initialState) {
  const subscribers = new Set();
  let isScheduled = false;

  function publish() {
    isScheduled = false;
    for (const subscriber of subscribers) subscriber(state);
  }

  return {
    get state() {
      return state;
    },
    dispatch(action) {
      const next = reduce(state, action);
      if (next === state) return;
      state = next;
      if (isScheduled) return;
      isScheduled = true;
      // Not an animation frame: a hidden tab draws none, yet its title must count unread messages.
      queueMicrotask(publish);
    },
    subscribe(subscriber) {
      subscribers.add(subscriber);
    },
  };
}

const ACTIONS = {
  ...SEARCH_ACTIONS,

  signed_in: (_, { me }) => ({ ...initialState, phase: "signed-in", me }),

  signed_out: (_, { notice = null }) => ({ ...initialState, phase: "signed-out", notice }),

  /** Who is there and who types is known only while events arrive. */
  connection_changed(state, { connection }) {
    const isLost = state.connection.status === "live" && connection.status !== "live";
    if (!isLost) return { ...state, connection };
    const presence = Object.entries(state.presence).map(([id, known]) => [
      id,
      { ...known, online: false, wasOnline: known.online || (known.wasOnline ?? false) },
    ]);
    return { ...state, connection, presence: Object.fromEntries(presence), typing: {} };
  },

  /** A snapshot replaces all that the stream maintains: after a gap, any of it may be out of date. */
  synced(state, { snapshot }) {
    const { selected } = state;
    const conversations = byId(snapshot.conversations);
    const open = state.threads[selected];
    return {
      ...withBookings(
        { ...state, bookings: stale(state.bookings), lessons: initialState.lessons },
        snapshot.conversations.flatMap(({ upcoming_bookings }) => upcoming_bookings),
      ),
      isSynced: true,
      conversations,
      // The open conversation may be older than what a snapshot holds.
      wanted: selected && !conversations[selected] ? { [selected]: 0 } : {},
      pages: UNREAD_PAGES,
      totalUnread: snapshot.total_unread,
      presence: Object.fromEntries(
        snapshot.presence.map(({ user_id, online, last_active_at }) => [
          user_id,
          { online, lastActiveAt: last_active_at ?? null },
        ]),
      ),
      typing: {},
      threads: open ? { [selected]: { ...EMPTY_THREAD, stale: open.messages } } : {},
      recentIds: [],
    };
  },

  conversations_listed(state, { filter, items, nextCursor }) {
    const unknown = items.filter((item) => !state.conversations[item.id]);
    return {
      ...withPresence(state, items),
      conversations: { ...state.conversations, ...byId(unknown) },
      pages: { ...state.pages, [filter]: { cursor: nextCursor, isComplete: nextCursor === null } },
    };
  },

  /** Presence is not repeated to a stream that resumes, so it is looked up again. */
  presence_looked_up: (state, { conversations }) => withPresence(state, conversations),

  /** `mentions` is what `wanted` said when the request was made: an event since then makes the answer doubtful. */
  conversation_fetched(state, { conversation, mentions = 0 }) {
    const { id, last_seq } = conversation;
    const known = state.conversations[id];
    const isOutdated = known && known.last_seq > last_seq;
    const next = withPresence(isOutdated ? state : putConversation(state, conversation), [conversation]);
    return (state.wanted[id] ?? 0) > mentions ? next : withoutWanted(next, id);
  },

  conversation_missing(state, { id }) {
    const next = withoutWanted(state, id);
    return id === state.selected && !state.conversations[id] ? { ...next, isNotFound: true } : next;
  },

  filter_chosen: (state, { filter }) => ({ ...state, filter }),

  conversation_selected(state, { id }) {
    if (state.selected === id) return state;
    const conversation = state.conversations[id];
    const next = {
      ...state,
      selected: id,
      isNotFound: false,
      editing: null,
      divider: conversation?.unread_count ? conversation.last_read_seq : null,
      threads: withoutOldThreads(state.threads, id),
    };
    return id && !conversation ? want(next, id) : next;
  },

  /** `place` is `newest` for the page a thread opens with, `older` for the one before what is held. */
  messages_fetched(state, { conversationId, items, hasMore, place }) {
    const thread = threadOf(state, conversationId);
    const first = items[0]?.seq ?? 0;
    // Edits of messages older than the first page arrived while it was fetched; alone they would make a hole.
    const held = place === "newest" ? thread.messages.filter(({ seq }) => seq >= first) : thread.messages;
    const messages = mergeMessages(held, items);
    return {
      ...state,
      threads: {
        ...state.threads,
        [conversationId]: { messages, stale: [], hasMore, isLoaded: true, problem: null },
      },
      pending: withoutAcknowledged(state, conversationId, items),
    };
  },

  /** What is written next in a conversation is about a booking; with null, about none. */
  about_chosen: (state, { conversationId, bookingId }) => ({
    ...state,
    about: bookingId ? { ...state.about, [conversationId]: bookingId } : without(state.about, conversationId),
  }),

  message_queued(state, { conversationId, clientId, content, at, bookingId = null }) {
    const message = { clientId, content, at, bookingId, status: "sending", problem: null };
    return {
      ...putPending(state, conversationId, [...pendingOf(state, conversationId), message]),
      divider: conversationId === state.selected ? null : state.divider,
      about: without(state.about, conversationId),
    };
  },

  message_failed: (state, { conversationId, clientId, problem }) =>
    changePending(state, conversationId, clientId, { status: "failed", problem }),

  message_retried: (state, { conversationId, clientId }) =>
    changePending(state, conversationId, clientId, { status: "sending", problem: null }),

  message_discarded(state, { conversationId, clientId }) {
    const left = pendingOf(state, conversationId).filter((message) => message.clientId !== clientId);
    return putPending(state, conversationId, left);
  },

  /** The answer to a send: the same message that the stream brings, sometimes sooner, sometimes later. */
  message_acknowledged(state, { conversationId, clientId, message }) {
    const left = pendingOf(state, conversationId).filter((waiting) => waiting.clientId !== clientId);
    return receiveMessage(putPending(state, conversationId, left), message);
  },

  pending_restored: (state, { pending }) => ({ ...state, pending }),

  delivered_restored: (state, { delivered }) => ({ ...state, delivered: { ...delivered, ...state.delivered } }),

  edit_begun: (state, { message }) => ({
    ...state,
    editing: {
      conversationId: message.conversation_id,
      messageId: message.id,
      version: message.version,
      isSaving: false,
      problem: null,
    },
  }),

  edit_saving: (state, { messageId }) => changeEditing(state, messageId, { isSaving: true, problem: null }),

  edit_refused: (state, { messageId, problem }) => changeEditing(state, messageId, { isSaving: false, problem }),

  /** The save lost against another: `message` is what there is now, and what the next save replaces. */
  edit_conflicted: (state, { message }) =>
    changeEditing(replaceMessage(state, message), message.id, {
      version: message.version,
      isSaving: false,
      problem: changedMeanwhile(message),
    }),

  edit_ended: (state, { messageId }) =>
    state.editing?.messageId === messageId ? { ...state, editing: null } : state,

  /** The answer to an edit, or what a look at the message showed. */
  message_changed: (state, { message }) => replaceMessage(state, message),

  /** The answer to a deletion says nothing; the event that says when may take a moment. */
  message_removed: (state, { message, at }) =>
    replaceMessage(state, { ...message, content: "", edited_at: null, deleted_at: at, reactions: [] }),

  reaction_asked: (state, { messageId, emoji, isAdded }) => ({
    ...state,
    reacting: { ...state.reacting, [messageId]: { ...state.reacting[messageId], [emoji]: isAdded } },
  }),

  /** It is as we asked if `isDone`; else as it was. */
  reaction_settled(state, { conversationId, messageId, emoji, isAdded, isDone }) {
    const left = without(state.reacting[messageId] ?? {}, emoji);
    const reacting = without(state.reacting, messageId);
    const next = { ...state, reacting: Object.keys(left).length ? { ...reacting, [messageId]: left } : reacting };
    if (!isDone) return next;
    return changeReactions(next, conversationId, messageId, (reactions) =>
      withOwn(reactions, emoji, state.me.id, isAdded),
    );
  },

  lessons_opened: (state, { tense }) => (state.tense === tense ? state : { ...state, tense }),

  /**
   * A page of a list, the first one or the next. Whom a lesson is with is known from its conversation.
   *
   * @param after the cursor it was asked with: after a gap the list begins anew, and what came later than that is no part of it.
   */
  lessons_listed(state, { tense, after, items, nextCursor }) {
    if (after !== state.lessons[tense].cursor) return state;
    const read = {
      isLoaded: true,
      cursor: nextCursor,
      last: items.at(-1) ?? state.lessons[tense].last,
      problem: null,
    };
    const strangers = new Set(items.map(({ conversation_id }) => conversation_id));
    for (const id of Object.keys(state.conversations)) strangers.delete(id);
    const next = [...strangers].reduce(want, withBookings(state, items));
    return { ...next, lessons: { ...next.lessons, [tense]: read } };
  },

  lessons_unavailable: (state, { tense, problem }) => ({
    ...state,
    lessons: { ...state.lessons, [tense]: { ...state.lessons[tense], problem } },
  }),

  /** The answer to a booking, to a change of one, or to a question about it. */
  booking_told: (state, { booking }) => withBookings(state, [booking]),

  messages_unavailable(state, { conversationId, problem }) {
    return putThread(state, conversationId, { ...threadOf(state, conversationId), problem });
  },

  event_received(state, { name, id, data, now }) {
    const apply = EVENTS[name];
    if (!apply) return state;
    if (EPHEMERAL.has(name)) return apply(state, data, now);
    if (state.recentIds.includes(id)) return state;
    const recentIds = [...state.recentIds, id].slice(-RECENT_IDS_MAX);
    return { ...apply(state, data, now), recentIds };
  },

  time_passed(state, { now }) {
    const lit = Object.entries(state.typing).filter(([, until]) => until > now);
    if (lit.length === Object.keys(state.typing).length) return state;
    return { ...state, typing: Object.fromEntries(lit) };
  },
};

const EPHEMERAL = new Set(["typing", "presence"]);

const EVENTS = {
  "message.created": (state, { message, unread_count, total_unread }) =>
    withUnread(receiveMessage(state, message), message.conversation_id, unread_count, total_unread),

  "message.updated": (state, { message, unread_count, total_unread }) =>
    withUnread(replaceMessage(state, message), message.conversation_id, unread_count, total_unread),

  "message.deleted": (state, { message, unread_count, total_unread }) =>
    withUnread(replaceMessage(state, message), message.conversation_id, unread_count, total_unread),

  "reaction.changed": (state, { conversation_id, message_id, reactions }) =>
    changeReactions(state, conversation_id, message_id, () => reactions),

  "conversation.created": (state, { conversation }) =>
    withoutWanted(withPresence(putConversation(state, conversation), [conversation]), conversation.id),

  /** Filing changes the total too, which this event does not carry: what is trashed does not count. */
  "conversation.updated"(state, { conversation }) {
    const change = counted(conversation) - counted(state.conversations[conversation.id]);
    const next = withoutWanted(putConversation(state, conversation), conversation.id);
    return change ? { ...next, totalUnread: next.totalUnread + change } : next;
  },

  "conversation.read"(state, { conversation_id, user_id, seq, unread_count, total_unread }) {
    const mark = user_id === state.me.id ? "last_read_seq" : "other_last_read_seq";
    const reached = Math.max(seq, state.conversations[conversation_id]?.[mark] ?? 0);
    const marked = changeConversation(state, conversation_id, { [mark]: reached });
    return withUnread(marked, conversation_id, unread_count, total_unread);
  },

  "conversation.delivered"(state, { conversation_id, user_id, seq, unread_count, total_unread }) {
    const counted = withUnread(state, conversation_id, unread_count, total_unread);
    if (user_id === state.me.id) return counted;
    const reached = Math.max(seq, state.delivered[conversation_id] ?? 0);
    return { ...counted, delivered: { ...state.delivered, [conversation_id]: reached } };
  },

  "booking.created": (state, { booking }) => withBookings(state, [booking]),
  "booking.cancelled": (state, { booking }) => withBookings(state, [booking]),
  "booking.rescheduled": (state, { booking }) => withBookings(state, [booking]),
  "booking.completed": (state, { booking }) => withBookings(state, [booking]),
  "booking.reminder": (state, { booking }) => withBookings(state, [booking]),

  /** The server's clock is not ours: how long the indicator lasts is counted from its arrival. */
  typing(state, { conversation_id, user_id, is_typing }, now) {
    if (user_id === state.me.id) return state;
    if (!is_typing) return withoutTyping(state, conversation_id);
    return { ...state, typing: { ...state.typing, [conversation_id]: now + TYPING_MS } };
  },

  presence: (state, { user_id, online, last_active_at }) => ({
    ...state,
    presence: { ...state.presence, [user_id]: { online, lastActiveAt: last_active_at ?? null } },
  }),
};

/** Stream events that change the state; an EventSource has to be told each name. */
export const EVENT_NAMES = Object.freeze(Object.keys(EVENTS));

const byId = (records) => Object.fromEntries(records.map((record) => [record.id, record]));

const without = (record, key) => Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));

const putConversation = (state, conversation) => ({
  ...withBookings(state, conversation.upcoming_bookings ?? []),
  conversations: { ...state.conversations, [conversation.id]: conversation },
});

/** A booking is replaced by a later version of itself only, whichever source was faster. */
function withBookings(state, told) {
  const news = told.filter(({ id, version }) => !(version < state.bookings[id]?.version));
  if (!news.length) return state;
  const bookings = Object.values({ ...state.bookings, ...byId(news) });
  if (bookings.length > BOOKINGS_MAX)
    bookings.sort((a, b) => Date.parse(b.starts_at) - Date.parse(a.starts_at)).splice(BOOKINGS_MAX);
  return { ...state, bookings: byId(bookings) };
}

/** After a gap any of them may have changed. They are shown where they were until they were asked for. */
const stale = (bookings) => byId(Object.values(bookings).map((booking) => ({ ...booking, isStale: true })));

/** Whether the others were connected when the server rendered these conversations. */
function withPresence(state, conversations) {
  const seen = conversations.map(({ other: { id, online } }) => [
    id,
    { online, lastActiveAt: state.presence[id]?.lastActiveAt ?? null },
  ]);
  return { ...state, presence: { ...state.presence, ...Object.fromEntries(seen) } };
}

const putThread = (state, id, thread) => ({ ...state, threads: { ...state.threads, [id]: thread } });

const putPending = (state, id, messages) => ({ ...state, pending: { ...state.pending, [id]: messages } });

const want = (state, id) => ({ ...state, wanted: { ...state.wanted, [id]: (state.wanted[id] ?? -1) + 1 } });

const withoutWanted = (state, id) =>
  id in state.wanted ? { ...state, wanted: without(state.wanted, id) } : state;

const withoutTyping = (state, id) =>
  isTyping(state, id) ? { ...state, typing: without(state.typing, id) } : state;

/** Change a conversation we hold; one we do not hold is wanted instead, since an event alone does not describe it. */
function changeConversation(state, id, changes) {
  const conversation = state.conversations[id];
  return conversation ? putConversation(state, { ...conversation, ...changes }) : want(state, id);
}

const counted = (conversation) =>
  conversation && conversation.state !== "trashed" ? conversation.unread_count : 0;

const withUnread = (state, id, unread_count, total_unread) => ({
  ...changeConversation(state, id, { unread_count }),
  totalUnread: total_unread,
});

function receiveMessage(state, message) {
  const { conversation_id: id, seq } = message;
  let next = state;
  if (seq > (state.conversations[id]?.last_seq ?? 0)) {
    next = changeConversation(next, id, {
      last_message: message,
      last_seq: seq,
      last_message_at: message.created_at,
    });
  }
  if (message.sender_id !== state.me.id) next = withoutTyping(next, id);
  next = { ...next, pending: withoutAcknowledged(next, id, [message]) };
  const thread = next.threads[id];
  return thread ? putThread(next, id, withMessages(thread, [message])) : next;
}

function changeReactions(state, conversationId, messageId, change) {
  const thread = state.threads[conversationId];
  if (!thread) return state;
  const messages = thread.messages.map((message) =>
    message.id === messageId && !message.deleted_at
      ? { ...message, reactions: change(message.reactions) }
      : message,
  );
  return putThread(state, conversationId, { ...thread, messages });
}

const changeEditing = (state, messageId, changes) =>
  state.editing?.messageId === messageId ? { ...state, editing: { ...state.editing, ...changes } } : state;

/** What becomes of an edit under way when the message changes below it. Our own save does not contradict itself. */
function withEditingAfter(state, message) {
  const { editing } = state;
  if (editing?.messageId !== message.id) return state;
  if (message.deleted_at) return { ...state, editing: null };
  if (editing.isSaving || message.version <= editing.version) return state;
  return changeEditing(state, message.id, { version: message.version, problem: changedMeanwhile(message) });
}

function replaceMessage(state, message) {
  const id = message.conversation_id;
  const last = state.conversations[id]?.last_message;
  let next = withEditingAfter(state, message);
  if (last?.id === message.id && isNewer(message, last)) {
    next = changeConversation(next, id, { last_message: message });
  }
  const thread = next.threads[id];
  if (!thread) return next;
  // A message older than what is held comes in its present form with its page.
  const isHeld = !thread.isLoaded || thread.messages.some(({ seq }) => seq === message.seq);
  return isHeld ? putThread(next, id, withMessages(thread, [message])) : next;
}

function withMessages(thread, items) {
  const messages = mergeMessages(thread.messages, items);
  if (messages.length <= THREAD_MESSAGES_MAX) return { ...thread, messages };
  return { ...thread, messages: messages.slice(-THREAD_MESSAGES_KEPT), hasMore: true };
}

/** Two runs of messages as one, by `seq`, each in its newest form. */
function mergeMessages(held, items) {
  const bySeq = new Map(held.map((message) => [message.seq, message]));
  for (const message of items) {
    const known = bySeq.get(message.seq);
    if (!known || isNewer(message, known)) bySeq.set(message.seq, message);
  }
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

const isNewer = (message, known) =>
  message.version > known.version || (message.deleted_at !== null && known.deleted_at === null);

/** Threads without those opened longest ago: the keys of an object keep their order of insertion. */
function withoutOldThreads(threads, selected) {
  const kept = Object.fromEntries(Object.entries(without(threads, selected)).slice(-THREADS_MAX));
  return selected ? { ...kept, [selected]: threads[selected] ?? EMPTY_THREAD } : kept;
}

function withoutAcknowledged(state, conversationId, messages) {
  const waiting = pendingOf(state, conversationId);
  if (!waiting.length) return state.pending;
  const arrived = new Set(
    messages.filter(({ sender_id }) => sender_id === state.me.id).map(({ client_id }) => client_id),
  );
  const left = waiting.filter(({ clientId }) => !arrived.has(clientId));
  return left.length === waiting.length ? state.pending : { ...state.pending, [conversationId]: left };
}

function changePending(state, conversationId, clientId, changes) {
  const messages = pendingOf(state, conversationId).map((message) =>
    message.clientId === clientId ? { ...message, ...changes } : message,
  );
  return putPending(state, conversationId, messages);
}
