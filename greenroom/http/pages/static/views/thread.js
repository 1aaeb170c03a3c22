/** The open conversation: who it is with, its messages, and where one writes. */

import { bookingInWords } from "../bookings.js";
import { el, keyed, setText } from "../dom.js";
import { downIcon, searchIcon, speechIcon } from "../icons.js";
import { isTyping, messageOf, messagesOf, selectedConversation, threadOf } from "../selectors.js";
import { timelineOf } from "../timeline.js";
import { createComposer } from "./composer.js";
import { createMessageEditor } from "./message_editor.js";
import { createMessageFocus } from "./message_focus.js";
import { createThreadHeader } from "./thread_header.js";
import { createRow, updateRow } from "./timeline_row.js";

/** Within this distance of the end one is reading the newest messages, and new ones keep one there. */
const AT_END_PX = 80;
/** Earlier messages are asked for before the start comes into view. */
const NEAR_START_PX = 400;

/**
 * @param actions `{ send, retry, discard, loadOlder, reload, file, keyPressed, stoppedTyping, seen, openMenu, showHistory,
 *   react, beginEdit, saveEdit, cancelEdit, doneEditing, openLesson, bookWith, writeAbout, drafts }`; `seen` is called when the newest message of the open conversation may have
 *   come into view.
 */
export function createThread(actions) {
  const header = createThreadHeader(actions);
  const older = el(
    "button",
    { class: "link older", type: "button", on: { click: () => actions.loadOlder(shownId) } },
    "Show earlier messages",
  );
  const problem = el("div", { class: "thread-problem", role: "alert", hidden: true });
  const rows = el("ol", { class: "timeline", "aria-label": "Messages" });
  const typing = createTypingIndicator();
  const scroller = el(
    "div",
    { class: "thread-scroller", tabIndex: 0, "aria-label": "Messages", role: "region", on: { scroll: onScroll } },
    el("div", { class: "thread-column" }, older, problem, rows, typing.element),
  );
  const jump = el(
    "button",
    { class: "jump", type: "button", hidden: true, on: { click: () => scrollToEnd() } },
    "New messages",
    downIcon(),
  );
  const composer = createComposer({ ...actions, editLast });
  const restore = el(
    "div",
    { class: "composer-closed", hidden: true },
    el("span", {}, "This conversation is in the trash."),
    el(
      "button",
      { class: "link", type: "button", on: { click: () => actions.file(shownId, "active") } },
      "Restore it to write",
    ),
  );
  const editor = createMessageEditor(actions);
  const messageFocus = createMessageFocus(rows);
  const open = el(
    "section",
    { class: "thread", "aria-label": "Conversation", hidden: true },
    header.element,
    el("div", { class: "thread-body" }, scroller, jump),
    composer.element,
    restore,
  );
  const nothing = createNothing();
  const element = el("main", { class: "pane-thread" }, open, nothing.element);

  let current = null; // the state that is shown
  let shownId = null;
  let isAtEnd = true;
  let newestSeq = 0;
  let isRendered = false; // the first page of the shown conversation is there

  const endIsInView = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < AT_END_PX;

  // The keyboard of a phone, the banner, a growing composer: the end stays in view while the view shrinks.
  new ResizeObserver(() => isAtEnd && scrollToEnd()).observe(scroller);

  function onScroll() {
    isAtEnd = endIsInView();
    if (isAtEnd) {
      jump.hidden = true;
      actions.seen();
    }
    if (isRendered && scroller.scrollTop < NEAR_START_PX && !older.hidden) actions.loadOlder(shownId);
  }

  function scrollToEnd() {
    if (shownId === null) return;
    scroller.scrollTop = scroller.scrollHeight;
    isAtEnd = true;
    jump.hidden = true;
    actions.seen();
  }

  function showConversation(id) {
    if (shownId === id) return;
    composer.show(id);
    shownId = id;
    isAtEnd = true;
    isRendered = false;
    newestSeq = 0;
    jump.hidden = true;
    keyed(rows, [], ROWS);
  }

  const ROWS = {
    key: (row) => row.key,
    create: createRow,
    update: (row, item) =>
      updateRow(row, item, {
        retry: (clientId) => actions.retry(shownId, clientId),
        discard: (clientId) => actions.discard(shownId, clientId),
        openMenu: actions.openMenu,
        showHistory: actions.showHistory,
        react: actions.react,
        openLesson: actions.openLesson,
        editor: editor.element,
      }),
  };

  /** The last message of ours that is still there, for who presses Up where nothing is written yet. */
  function editLast() {
    const mine = messagesOf(current, shownId).findLast(
      ({ kind, sender_id, deleted_at }) => kind === "user" && sender_id === current.me.id && !deleted_at,
    );
    if (mine) actions.beginEdit(mine);
    return mine !== undefined;
  }

  function showWhetherTrashed(isTrashed) {
    if (restore.hidden === !isTrashed) return;
    restore.hidden = !isTrashed;
    composer.element.hidden = isTrashed;
    composer.resize();
  }

  let wasEditing = false;

  function showEditing({ editing }) {
    const message = editing && messageOf(current, shownId, editing.messageId);
    if (message) editor.show(editing, message.content);
    else {
      editor.hide();
      // The field one wrote in is gone; the next thing one does is write, where that opens no keyboard.
      if (wasEditing && document.activeElement === document.body) actions.doneEditing();
    }
    wasEditing = Boolean(message);
  }

  function showMessages(state) {
    const thread = threadOf(state, shownId);
    const timeline = timelineOf(state, shownId);
    // A scroll is told of a frame later, which may be after this.
    if (isRendered) isAtEnd = endIsInView();
    const anchor = isAtEnd || !isRendered ? null : placeOfReading();
    keyed(rows, timeline, ROWS);
    showEditing(state);
    messageFocus.refresh();
    older.hidden = !thread.isLoaded || !thread.hasMore;
    problem.hidden = !thread.problem;
    if (thread.problem) {
      problem.replaceChildren(
        el("span", {}, thread.problem),
        el("button", { class: "link", type: "button", on: { click: () => actions.reload(shownId) } }, "Try again"),
      );
    }
    typing.show(isTyping(state, shownId));
    keepPlace(state, thread, anchor);
  }

  /** The first message in view and where it is. Separators are no hold: they move as messages come before them. */
  function placeOfReading() {
    const { top } = scroller.getBoundingClientRect();
    for (const row of rows.getElementsByClassName("message")) {
      const box = row.getBoundingClientRect();
      if (box.bottom > top) return { row, top: box.top };
    }
    return null;
  }

  /** Stay at the end if we were there; otherwise keep what is being read where it is. */
  function keepPlace(state, thread, anchor) {
    const newest = thread.messages.at(-1);
    if (isAtEnd || !isRendered) {
      scroller.scrollTop = scroller.scrollHeight;
      isAtEnd = true;
    } else {
      if (anchor?.row.isConnected) scroller.scrollTop += anchor.row.getBoundingClientRect().top - anchor.top;
      if (newest?.seq > newestSeq && newest.sender_id !== state.me.id) jump.hidden = false;
    }
    newestSeq = Math.max(newestSeq, newest?.seq ?? 0);
    isRendered ||= thread.isLoaded;
    if (isAtEnd && thread.isLoaded) actions.seen();
  }

  return {
    element,
    /** Whether the newest message of the open conversation is in view: now, for a scroll is told of a frame later. */
    get isAtEnd() {
      return shownId !== null && isRendered && endIsInView();
    },
    focusComposer: composer.focus,
    beginMessage: (id, text) => composer.begin(id, text),
    update(state) {
      current = state;
      const conversation = selectedConversation(state);
      element.hidden = state.tense !== null || state.search.asked !== null;
      open.hidden = conversation === null;
      nothing.element.hidden = conversation !== null;
      showConversation(conversation?.id ?? null);
      if (!conversation) {
        nothing.show(state);
        return;
      }
      composer.showAbout(bookingInWords(state, state.about[conversation.id], new Date()));
      showWhetherTrashed(conversation.state === "trashed");
      header.update(state, conversation);
      showMessages(state);
    },
    scrollToEnd,
  };
}

/** What stands there instead of a conversation. */
function createNothing() {
  const element = el("section", { class: "thread-nothing" });
  let shown = null;

  function show(name, mark, title, words, ...more) {
    if (shown === name) return;
    shown = name;
    element.replaceChildren(
      el("span", { class: "brand-mark faint" }, mark),
      el("p", { class: "empty-title" }, title),
      el("p", { class: "empty-words" }, words),
      ...more,
    );
  }

  return {
    element,
    show({ selected, isNotFound }) {
      if (isNotFound) {
        show(
          "not found",
          searchIcon(),
          "This conversation can't be found",
          "The address may be wrong, or meant for another account.",
          el("a", { class: "link", href: "#/" }, "All conversations"),
        );
        element.setAttribute("role", "alert");
        return;
      }
      element.removeAttribute("role");
      if (selected) show("loading", speechIcon(), "Opening the conversation …", "");
      else
        show(
          "nothing",
          speechIcon(),
          "Pick a conversation",
          "Your messages with instructors and students appear here.",
        );
    },
  };
}

function createTypingIndicator() {
  const element = el(
    "div",
    { class: "typing", hidden: true },
    el("span", { class: "visually-hidden" }, "The other is typing."),
    ...[0, 1, 2].map(() => el("span", { class: "typing-dot", "aria-hidden": "true" })),
  );
  return {
    element,
    show(isLit) {
      element.hidden = !isLit;
    },
  };
}
