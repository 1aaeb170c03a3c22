/**
 * Everything that runs while somebody is signed in: the stream, what is sent, what is fetched on demand, and the marks of
 * what was received and read. It changes the state by actions only and knows nothing of the document's elements.
 */

import { ApiError } from "./api.js";
import { createChanges } from "./changes.js";
import { createDrafts } from "./drafts.js";
import { createLessons } from "./lessons.js";
import { createOutbox } from "./outbox.js";
import { createMarker } from "./receipts.js";
import { createRepeatKey } from "./repeat_key.js";
import { createSearching } from "./searching.js";
import { pendingOf, selectedConversation, threadOf } from "./selectors.js";
import { EVENT_NAMES } from "./store.js";
import { createStream } from "./stream.js";
import { createTypingNotifier } from "./typing.js";
import { keepUnsent } from "./unsent.js";

const MESSAGES_PAGE = 50;
const CONVERSATIONS_PAGE = 50;
/** Conversations marked as received after a snapshot; the rest are when they are opened. */
const DELIVERIES_NOTED_MAX = 50;
/** Unacknowledged messages per conversation: beyond it the server has been away for long, and writing on is no use. */
const PENDING_MAX = 50;
/** Conversations whose receipts are kept across a reload: those that moved last. */
const DELIVERED_KEPT_MAX = 200;
/** How often lit typing indicators are looked at. */
const TICK_MS = 1_000;

/**
 * @param isReading whether the newest message of the open conversation is on the screen.
 * @param onNotice called with words for the person.
 * @param onArrival called with a message that somebody else has just sent.
 * @param onReminder called with a booking that begins soon.
 * @param onEnded called with a reason when the session is over.
 */
export function createSession({ api, store, isReading, onNotice, onArrival, onReminder, onEnded }) {
  const underWay = new Set(); // requests made on demand, by name, so that each runs once at a time
  let isPresenceFresh = false; // whether a snapshot has told it for the connection that is being opened
  const outbox = createOutbox({ store, send: api.send });
  const markRead = createMarker(api.markRead);
  const markDelivered = createMarker(api.markDelivered);
  const typing = createTypingNotifier((id, isTyping) => void api.setTyping(id, isTyping).catch(ignoreFailure));
  const dispatch = (action) => store.dispatch(action);
  const changes = createChanges({ api, store, onNotice });
  const lessons = createLessons({ api, store, once });
  const searching = createSearching({ api, store });
  const drafts = createDrafts(store.state.me.id);
  const firstWords = createRepeatKey();

  const stream = createStream({
    url: "/api/v1/events",
    eventNames: EVENT_NAMES,
    sync: async () => {
      const snapshot = await api.sync();
      dispatch({ type: "synced", snapshot });
      isPresenceFresh = true;
      void noteDeliveries(snapshot.conversations);
      return snapshot.cursor;
    },
    probe: api.me,
    onReady({ user_id }) {
      // Another tab has signed in as somebody else: the cookie is shared, what this page shows is not theirs.
      if (user_id !== store.state.me.id) location.reload();
      outbox.wake();
      retryFailedReads();
      if (!isPresenceFresh) lookUpPresence();
      isPresenceFresh = false;
    },
    onEvent({ name, id, data }) {
      dispatch({ type: "event_received", name, id, data, now: Date.now() });
      if (name === "message.created" && data.message.sender_id !== store.state.me.id) arrived(data.message);
      if (name === "booking.reminder") onReminder(data.booking);
    },
    onConnection: (connection) => dispatch({ type: "connection_changed", connection }),
    onEnded,
  });

  store.subscribe(fetchWhatIsMissing);
  const unsent = keepUnsent(store);
  keepDelivered();
  const ticking = setInterval(() => dispatch({ type: "time_passed", now: Date.now() }), TICK_MS);

  function arrived(message) {
    onArrival(message);
    // Reading says so too, and more.
    if (isReading(message.conversation_id)) readNewest();
    else void markDelivered(message.conversation_id, message.seq);
  }

  /** What came while nobody was here has reached a device now. One after the other: there is no hurry. */
  async function noteDeliveries(conversations) {
    const unread = conversations.filter(({ unread_count }) => unread_count > 0);
    for (const { id, last_seq } of unread.slice(0, DELIVERIES_NOTED_MAX)) await markDelivered(id, last_seq);
  }

  function readNewest() {
    const conversation = selectedConversation(store.state);
    if (!conversation || !isReading(conversation.id)) return;
    const { id, last_seq, last_read_seq, unread_count } = conversation;
    if (unread_count > 0 && last_seq > last_read_seq) void markRead(id, last_seq);
  }

  /** Fetch on demand: one at a time per name; `failed` hears of what did not work. */
  async function once(name, fetch, failed = ignoreFailure) {
    if (underWay.has(name)) return;
    underWay.add(name);
    try {
      await fetch();
    } catch (error) {
      failed(asApiError(error));
    } finally {
      underWay.delete(name);
    }
  }

  function fetchWhatIsMissing(state) {
    for (const [id, mentions] of Object.entries(state.wanted)) fetchConversation(id, mentions);
    const { cursor, isComplete } = state.pages.trashed;
    if (state.isSynced && state.filter === "trashed" && cursor === null && !isComplete) loadMoreConversations();
    const { selected, tense } = state;
    if (state.isSynced && tense && !state.lessons[tense].isLoaded && !state.lessons[tense].problem)
      lessons.list(tense);
    if (!selected || !state.conversations[selected]) return;
    const { isLoaded, problem } = threadOf(state, selected);
    if (!isLoaded && !problem) fetchMessages(selected, "newest", null);
    if (isLoaded) lessons.lookUpMentioned(selected);
  }

  function fetchConversation(id, mentions) {
    void once(
      `conversation ${id}`,
      async () => dispatch({ type: "conversation_fetched", conversation: await api.conversation(id), mentions }),
      (error) => {
        if (error.isTransient) return; // the stream is in trouble too; the next snapshot or change asks again
        dispatch({ type: "conversation_missing", id });
      },
    );
  }

  function fetchMessages(id, place, before) {
    void once(
      `messages ${id}`,
      async () => {
        const { items, has_more } = await api.messages(id, { before, limit: MESSAGES_PAGE });
        dispatch({ type: "messages_fetched", conversationId: id, items, hasMore: has_more, place });
      },
      (error) => dispatch({ type: "messages_unavailable", conversationId: id, problem: error.message }),
    );
  }

  function lookUpPresence() {
    void once("presence", async () => {
      const { items } = await api.conversations({ state: "active", limit: CONVERSATIONS_PAGE });
      dispatch({ type: "presence_looked_up", conversations: items });
    });
  }

  function retryFailedReads() {
    for (const [id, { problem }] of Object.entries(store.state.threads)) if (problem) forgetProblem(id);
    for (const [tense, { problem }] of Object.entries(store.state.lessons))
      if (problem) lessons.forgetProblem(tense);
    lessons.askAgain();
    fetchWhatIsMissing(store.state);
  }

  const forgetProblem = (id) => dispatch({ type: "messages_unavailable", conversationId: id, problem: null });

  /** Keep across a reload of this tab how far messages of ours came: no snapshot repeats it. */
  function keepDelivered() {
    const place = `greenroom.delivered.${store.state.me.id}`;
    const kept = JSON.parse(sessionStorage.getItem(place) ?? "{}");
    if (Object.keys(kept).length) dispatch({ type: "delivered_restored", delivered: kept });
    let last = store.state.delivered;
    store.subscribe(({ delivered }) => {
      if (delivered === last) return;
      last = delivered;
      const newest = Object.entries(delivered).slice(-DELIVERED_KEPT_MAX);
      sessionStorage.setItem(place, JSON.stringify(Object.fromEntries(newest)));
    });
  }

  function loadMoreConversations() {
    const { filter, pages } = store.state;
    const { cursor, isComplete } = pages[filter];
    if (isComplete) return;
    void once(`list ${filter}`, async () => {
      const page = await api.conversations({ state: filter, limit: CONVERSATIONS_PAGE, cursor });
      dispatch({ type: "conversations_listed", filter, items: page.items, nextCursor: page.next_cursor });
    });
  }

  const onVisible = () => document.visibilityState === "visible" && readNewest();
  document.addEventListener("visibilitychange", onVisible);

  return {
    start: stream.reconnect,
    reconnect: stream.reconnect,
    /** A request was answered: if the stream waits, it need not. */
    heardServer: stream.heardServer,
    readNewest,
    ...changes,
    lessons,
    searching,
    drafts,
    keyPressed: typing.keyPressed,
    stoppedTyping: typing.stopped,
    retry: outbox.retry,
    reload: forgetProblem,

    /** Put a message on its way; false if too many wait already. */
    send(id, content) {
      if (pendingOf(store.state, id).length >= PENDING_MAX) {
        onNotice("Many messages are waiting for the server already. Please wait until they are sent.");
        return false;
      }
      typing.sent();
      outbox.enqueue(id, content, store.state.about[id] ?? null);
      return true;
    },

    discard: (conversationId, clientId) => dispatch({ type: "message_discarded", conversationId, clientId }),

    loadOlder(id) {
      const { messages, hasMore, isLoaded } = threadOf(store.state, id);
      if (isLoaded && hasMore && messages.length) fetchMessages(id, "older", messages[0].seq);
    },

    loadMoreConversations,

    /** File a conversation as `active`, `archived` or `trashed`; resolves to whether that was done. */
    async file(id, state) {
      try {
        // The stream brings the change too, to every tab; it may be away just now.
        dispatch({ type: "conversation_fetched", conversation: await api.setState(id, state) });
        return true;
      } catch (error) {
        onNotice(asApiError(error).message);
        return false;
      }
    },

    /** Open the conversation with an instructor, with a first message; resolves to its id. */
    async begin(instructor, content) {
      const message = { content, client_id: firstWords.of([instructor.id, content]) };
      const opened = await api.openConversation(instructor.id, message);
      firstWords.settle();
      dispatch({ type: "conversation_fetched", conversation: opened.conversation });
      return opened.conversation.id;
    },

    /** Open the conversation with an instructor without saying anything yet; resolves to its id. */
    async beginSilently(instructorId) {
      const { conversation } = await api.openConversation(instructorId);
      dispatch({ type: "conversation_fetched", conversation });
      return conversation.id;
    },

    /** What would be lost by forgetting it. */
    unfinished: () => ({ messages: unsent.count(), drafts: drafts.count() }),

    /** Leave nothing behind that somebody else at this browser might read. */
    forget() {
      unsent.forget();
      drafts.clear();
    },

    end() {
      clearInterval(ticking);
      unsent.stop();
      document.removeEventListener("visibilitychange", onVisible);
      stream.dispose();
    },
  };
}

function asApiError(error) {
  if (error instanceof ApiError) return error;
  throw error;
}

function ignoreFailure(error) {
  asApiError(error);
}
