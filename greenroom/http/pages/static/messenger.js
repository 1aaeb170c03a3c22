/** The page of somebody who is signed in: its parts, and which of them the address names. */

import { ApiError } from "./api.js";
import { titleOf } from "./bookings.js";
import { el } from "./dom.js";
import { timesInWords } from "./search_words.js";
import { addressOfSearch, searchOf } from "./sentence.js";
import { createSession } from "./session.js";
import { createStore } from "./store.js";
import { dayAndHour } from "./times.js";
import { createBanner } from "./views/banner.js";
import { createBookDialog } from "./views/book_dialog.js";
import { createConfirmDialog } from "./views/confirm_dialog.js";
import { createConversationList } from "./views/conversation_list.js";
import { createLessonDialog } from "./views/lesson_dialog.js";
import { addressOfLessons, createLessonsPane } from "./views/lessons_pane.js";
import { createDeleteDialog, createHistoryDialog } from "./views/message_dialogs.js";
import { createMessageMenu } from "./views/message_menu.js";
import { createNewConversation } from "./views/new_conversation.js";
import { createNotices } from "./views/notices.js";
import { createOfferDialog } from "./views/offer_dialog.js";
import { createSearchPane } from "./views/search_pane.js";
import { createThread } from "./views/thread.js";

/** How often "5 min ago", "Yesterday" and what is over are looked at anew. */
const CLOCK_MS = 60_000;

const TENSES = ["upcoming", "past"];

const FILED = {
  active: "Moved back to active.",
  archived: "Archived. A new message brings it back.",
  trashed: "Moved to the trash.",
};

/** Who reads or writes on a touch screen does not want its keyboard to open by itself. */
const WITH_KEYBOARD = matchMedia("(min-width: 48rem) and (pointer: fine)");

/**
 * Put the page of somebody who is signed in on the screen, and keep it up to date.
 *
 * @param app the element it takes.
 * @param onEnded called when they are no longer signed in, with a reason, or none if they wanted it so.
 * @returns `{ heardServer }`, to be called when a request was answered.
 */
export function openMessenger({ api, me, app, onEnded }) {
  const announcer = document.getElementById("announcer");
  const store = createStore();
  store.dispatch({ type: "signed_in", me });

  let isLoggingOut = false;
  let isStarted = false; // whether it was decided what is shown first
  const notices = createNotices();
  const session = createSession({
    api,
    store,
    isReading: (id) => document.visibilityState === "visible" && store.state.selected === id && thread.isAtEnd,
    onNotice: notices.show,
    onArrival: announce,
    onReminder: remind,
    onEnded(reason) {
      // Logging out ends the stream too; whoever asked for it needs no telling.
      if (isLoggingOut) return;
      // Somebody wanted it to end, perhaps because others can come at this browser.
      if (reason === "revoked") session.forget();
      onEnded(reason);
    },
  });
  const banner = createBanner({ reconnect: session.reconnect });
  const newConversation = createNewConversation({
    instructors: api.instructors,
    async begin(instructor, content) {
      const id = await session.begin(instructor, content);
      store.dispatch({ type: "filter_chosen", filter: "active" });
      location.hash = addressOf(id);
    },
  });
  const list = createConversationList(me, {
    chooseFilter: (filter) => store.dispatch({ type: "filter_chosen", filter }),
    startConversation: () => void newConversation.open(),
    editOffer: () => void offer.open(),
    loadMoreConversations: session.loadMoreConversations,
    logOut,
  });
  const thread = createThread({
    send(id, content) {
      const isOnItsWay = session.send(id, content);
      if (isOnItsWay) queueMicrotask(() => thread.scrollToEnd());
      return isOnItsWay;
    },
    retry: session.retry,
    discard: session.discard,
    loadOlder: session.loadOlder,
    reload: session.reload,
    file,
    keyPressed: session.keyPressed,
    stoppedTyping: session.stoppedTyping,
    seen: session.readNewest,
    openMenu: (row, beside) => menu.open(row, beside),
    showHistory: (message) => void history.open(message),
    react: session.react,
    beginEdit: session.beginEdit,
    saveEdit: session.saveEdit,
    cancelEdit: session.cancelEdit,
    doneEditing: focusComposer,
    openLesson,
    bookWith: (instructor) => void booking.open(instructor),
    writeAbout,
    drafts: session.drafts,
  });
  const lessons = createLessonsPane({
    openLesson,
    loadMoreLessons: session.lessons.list,
    reloadLessons: session.lessons.forgetProblem,
  });
  const search = createSearchPane(me, {
    search: look,
    again: session.searching.again,
    more: () => void session.searching.more(),
    lookNear: session.searching.lookNear,
    write: writeTo,
    book(result) {
      session.searching.clicked(result);
      const { id, display_name } = result.instructor;
      const { parsed } = store.state.search.answer.meta;
      const words = timesInWords(parsed);
      const time = words ? { ...parsed, words } : null;
      return booking.open({ id, display_name: display_name ?? "this instructor" }, { serviceId: result.service_id, time });
    },
  });
  const lesson = createLessonDialog({
    ...session.lessons,
    writeAbout: ({ id, conversation_id }) => writeAbout(conversation_id, id),
  });
  const booking = createBookDialog({
    profile: session.lessons.profile,
    book: session.lessons.book,
    booked: notices.show,
  });
  const offer = createOfferDialog({
    profile: () => api.instructor(me.id),
    categories: api.categories,
    findRegions: api.regions,
    save: api.offer,
    saved: () => notices.show("Saved. Students find it within seconds."),
  });
  const leaving = createConfirmDialog({
    name: "leaving",
    title: "Log out all the same?",
    confirm: "Log out",
    keep: "Stay",
  });
  const deletion = createDeleteDialog(async (message) => {
    if (await session.remove(message)) focusComposer();
  });
  const history = createHistoryDialog(session.versions);
  const menu = createMessageMenu({
    react: session.react,
    edit: session.beginEdit,
    remove: deletion.open,
    showHistory: (message) => void history.open(message),
    // Browsers have no clipboard for a page served over plain HTTP from another host.
    copy: navigator.clipboard && (({ content }) => void copy(content)),
  });
  const messenger = el(
    "div",
    { class: "messenger" },
    banner.element,
    el("div", { class: "panes" }, list.element, thread.element, lessons.element, search.element),
    notices.element,
    newConversation.element,
    deletion.element,
    history.element,
    menu.element,
    booking.element,
    lesson.element,
    offer.element,
    leaving.element,
  );

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      notices.show("Copied.");
    } catch {
      notices.show("The browser does not let this page copy.");
    }
  }

  function focusComposer() {
    if (WITH_KEYBOARD.matches) queueMicrotask(thread.focusComposer);
  }

  /** File a conversation and leave it, if it was open; both can be taken back. */
  async function file(id, to) {
    const from = store.state.conversations[id].state;
    if (!(await session.file(id, to))) return;
    const wasOpen = store.state.selected === id && to !== "active";
    if (wasOpen) location.hash = "#/";
    notices.show(FILED[to], { label: "Undo", run: () => void undo() });

    async function undo() {
      if ((await session.file(id, from)) && wasOpen) location.hash = addressOf(id);
    }
  }

  async function logOut() {
    const lost = inWords(session.unfinished());
    if (lost && !(await leaving.ask(`${lost}, and would be lost.`))) return;
    isLoggingOut = true;
    try {
      await api.logOut();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status !== 401) {
        isLoggingOut = false;
        notices.show(`You are still logged in. ${error.message}`);
        return;
      }
    }
    session.end();
    session.forget();
    onEnded();
  }

  /** Go to where one writes, with a lesson that the next message is about. */
  function writeAbout(conversationId, bookingId) {
    store.dispatch({ type: "about_chosen", conversationId, bookingId });
    if (bookingId === null) return;
    location.hash = addressOf(conversationId);
    focusComposer();
  }

  function look(asked) {
    const address = addressOfSearch(asked);
    if (location.hash === address) session.searching.again();
    else location.hash = address;
  }

  /** Go to the conversation with whom a search found, with a message begun that names the lesson; nothing is said or booked yet. */
  async function writeTo(result) {
    session.searching.clicked(result);
    try {
      const id = await session.beginSilently(result.instructor.id);
      store.dispatch({ type: "filter_chosen", filter: "active" });
      if (result.title) thread.beginMessage(id, `About ${result.title}: `);
      location.hash = addressOf(id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      notices.show(error.message);
    }
  }

  function openLesson(id) {
    lesson.open(store.state, id);
  }

  function remind(soon) {
    const words = `${titleOf(soon)} begins ${dayAndHour(soon.starts_at)}.`;
    notices.show(words, { label: "Show", run: () => openLesson(soon.id) });
  }

  function announce({ conversation_id, content, kind }) {
    const name = kind === "user" && store.state.conversations[conversation_id]?.other.display_name;
    announcer.textContent = name ? `${name}: ${content}` : content;
  }

  function followAddress() {
    const [, id = null] = location.hash.match(/^#\/c\/(.+)$/) ?? [];
    const tense = TENSES.find((name) => location.hash === addressOfLessons(name)) ?? null;
    const asked = searchOf(location.hash);
    const isNewPlace = tense !== null && store.state.tense === null;
    const isNewSearch = asked !== null && store.state.search.asked === null;
    menu.close();
    store.dispatch({ type: "conversation_selected", id });
    store.dispatch({ type: "lessons_opened", tense });
    session.searching.open(asked);
    messenger.dataset.pane = id || tense || asked ? "thread" : "list";
    if (id) focusComposer();
    if (isNewPlace) queueMicrotask(lessons.focus);
    if (isNewSearch && WITH_KEYBOARD.matches) queueMicrotask(search.focus);
  }

  /** Who knows nobody here yet begins by looking for somebody. */
  function start({ isSynced, conversations }) {
    if (isStarted || !isSynced) return;
    isStarted = true;
    const isAnywhere = location.hash !== "" && location.hash !== "#/";
    if (me.role !== "student" || isAnywhere || Object.keys(conversations).length > 0) return;
    location.replace(addressOfSearch());
  }

  function show(state) {
    start(state);
    banner.update(state);
    list.update(state);
    thread.update(state);
    lessons.update(state);
    search.update(state);
    lesson.update(state);
    const title = state.totalUnread ? `(${state.totalUnread}) greenroom` : "greenroom";
    if (document.title !== title) document.title = title;
  }

  store.subscribe(show);
  setInterval(() => show(store.state), CLOCK_MS);
  window.addEventListener("hashchange", followAddress);
  app.replaceChildren(messenger);
  followAddress();
  show(store.state);
  session.start();
  return { heardServer: session.heardServer };
}

/** What would be lost, in words, or null. */
function inWords({ messages, drafts }) {
  const counted = (count, one, many) => count > 0 && (count === 1 ? `1 ${one}` : `${count} ${many}`);
  const parts = [counted(messages, "message", "messages"), counted(drafts, "draft", "drafts")].filter(Boolean);
  if (!parts.length) return null;
  return `${parts.join(" and ")} ${messages + drafts === 1 ? "has" : "have"} not been sent`;
}

function addressOf(id) {
  return `#/c/${id}`;
}
