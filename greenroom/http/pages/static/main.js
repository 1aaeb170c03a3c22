/** Where the page is put together: who is signed in, which conversation the address names, and what is on the screen. */

import { ApiError, createApi } from "./api.js";
import { el } from "./dom.js";
import { createSession } from "./session.js";
import { createStore } from "./store.js";
import { createBanner } from "./views/banner.js";
import { createConversationList } from "./views/conversation_list.js";
import { createLogin } from "./views/login.js";
import { createDeleteDialog, createHistoryDialog } from "./views/message_dialogs.js";
import { createMessageMenu } from "./views/message_menu.js";
import { createNewConversation } from "./views/new_conversation.js";
import { createNotices } from "./views/notices.js";
import { createThread } from "./views/thread.js";

/**
 * Whether somebody is signed in can't be read from an HttpOnly cookie. This note of whose session it is spares a signed-out
 * page a request that must fail, and tells other tabs when the session changes.
 */
const SIGNED_IN_AS = "greenroom.signed-in-as";
const NOTICE = "greenroom.notice";
const BOOT_RETRY_MS = 5_000;
/** How often "5 min ago" and "Yesterday" are written anew. */
const CLOCK_MS = 60_000;

const ENDED = {
  revoked: "You were logged out.",
  expired: "Your session has ended. Please log in again.",
};

const FILED = {
  active: "Moved back to active.",
  archived: "Archived. A new message brings it back.",
  trashed: "Moved to the trash.",
};

const app = document.getElementById("app");
const announcer = document.getElementById("announcer");
/** Who reads or writes on a touch screen does not want its keyboard to open by itself. */
const WITH_KEYBOARD = matchMedia("(min-width: 48rem) and (pointer: fine)");
const api = createApi({ onUnauthorized: () => leave(ENDED.expired), onAnswer: () => session?.heardServer() });
let session = null; // what runs while somebody is signed in

window.addEventListener("storage", ({ key, newValue, oldValue }) => {
  if (key === SIGNED_IN_AS && newValue !== oldValue) location.reload();
});

let bootTimer = null;
void boot();

async function boot() {
  clearTimeout(bootTimer);
  if (localStorage.getItem(SIGNED_IN_AS) === null) {
    showLogin();
    return;
  }
  try {
    showMessenger(await api.me());
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 401) showUnreachable(error.message);
  }
}

/** End the session in this tab. Loading the page anew leaves nothing of it in memory. */
function leave(notice = null) {
  localStorage.removeItem(SIGNED_IN_AS);
  sessionStorage.clear();
  if (notice) sessionStorage.setItem(NOTICE, notice);
  location.replace(location.pathname);
}

function showLogin() {
  const notice = sessionStorage.getItem(NOTICE);
  sessionStorage.removeItem(NOTICE);
  const login = createLogin({
    notice,
    async submit(mode, fields) {
      const { user } = await (mode === "register" ? api.register(fields) : api.logIn(fields));
      localStorage.setItem(SIGNED_IN_AS, user.id);
      showMessenger(user);
    },
  });
  app.replaceChildren(login.element);
  login.focus();
}

/** The server did not answer the very first question: ask again, by itself or when told. */
function showUnreachable(message) {
  clearTimeout(bootTimer);
  bootTimer = setTimeout(boot, BOOT_RETRY_MS);
  const retry = el(
    "button",
    { class: "button primary", type: "button", on: { click: () => void boot() } },
    "Try again",
  );
  app.replaceChildren(
    el("main", { class: "unreachable", role: "alert" }, el("p", { class: "empty-title" }, message), retry),
  );
}

/** Operators have no conversations: asking for theirs would be refused for ever. */
function showOperator() {
  const logOut = el(
    "button",
    { class: "button", type: "button", on: { click: () => void api.logOut().finally(() => leave()) } },
    "Log out",
  );
  app.replaceChildren(
    el(
      "main",
      { class: "unreachable" },
      el("p", { class: "empty-title" }, "This account runs the server and has no conversations of its own."),
      el("a", { class: "button primary", href: "/admin" }, "Go to the operators' page"),
      logOut,
    ),
  );
}

function showMessenger(me) {
  if (me.role === "admin") {
    showOperator();
    return;
  }
  const store = createStore();
  store.dispatch({ type: "signed_in", me });

  let isLoggingOut = false;
  const notices = createNotices();
  session = createSession({
    api,
    store,
    isReading: (id) => document.visibilityState === "visible" && store.state.selected === id && thread.isAtEnd,
    onNotice: notices.show,
    onArrival: announce,
    // Logging out ends the stream too; whoever asked for it needs no telling.
    onEnded: (reason) => isLoggingOut || leave(ENDED[reason]),
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
    el("div", { class: "panes" }, list.element, thread.element),
    notices.element,
    newConversation.element,
    deletion.element,
    history.element,
    menu.element,
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
    isLoggingOut = true;
    try {
      await api.logOut();
    } catch (error) {
      isLoggingOut = false;
      if (!(error instanceof ApiError)) throw error;
      if (error.status !== 401) notices.show(`You are still logged in. ${error.message}`);
      return;
    }
    session.end();
    leave();
  }

  function announce({ conversation_id, content }) {
    const name = store.state.conversations[conversation_id]?.other.display_name;
    announcer.textContent = name ? `${name}: ${content}` : content;
  }

  function followAddress() {
    const [, id = null] = location.hash.match(/^#\/c\/(.+)$/) ?? [];
    menu.close();
    store.dispatch({ type: "conversation_selected", id });
    messenger.dataset.pane = id ? "thread" : "list";
    if (id) focusComposer();
  }

  function show(state) {
    banner.update(state);
    list.update(state);
    thread.update(state);
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
}

function addressOf(id) {
  return `#/c/${id}`;
}
