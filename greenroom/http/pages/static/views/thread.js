/** The open conversation: who it is with, its messages, and where one writes. */

import { el, keyed, setText } from "../dom.js";
import { archiveIcon, backIcon, downIcon, speechIcon, unarchiveIcon } from "../icons.js";
import { isOnline, isTyping, lastActiveAt, selectedConversation, threadOf } from "../selectors.js";
import { timelineOf } from "../timeline.js";
import { ago } from "../times.js";
import { avatarWithPresence } from "./avatar.js";
import { createComposer } from "./composer.js";
import { createRow, updateRow } from "./timeline_row.js";

/** Within this distance of the end one is reading the newest messages, and new ones keep one there. */
const AT_END_PX = 80;
/** Earlier messages are asked for before the start comes into view. */
const NEAR_START_PX = 400;

/**
 * @param actions `{ send, retry, discard, loadOlder, reload, file, keyPressed, stoppedTyping, seen }`; `seen` is called
 *   when the newest message of the open conversation may have come into view.
 */
export function createThread(actions) {
  const header = createHeader(actions);
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
  const composer = createComposer(actions);
  const open = el(
    "section",
    { class: "thread", "aria-label": "Conversation", hidden: true },
    header.element,
    el("div", { class: "thread-body" }, scroller, jump),
    composer.element,
  );
  const nothing = el(
    "section",
    { class: "thread-nothing" },
    el("span", { class: "brand-mark faint" }, speechIcon()),
    el("p", { class: "empty-title" }, "Pick a conversation"),
    el("p", { class: "empty-words" }, "Your messages with instructors and students appear here."),
  );
  const element = el("main", { class: "pane-thread" }, open, nothing);

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
      }),
  };

  function showMessages(state) {
    const thread = threadOf(state, shownId);
    const timeline = timelineOf(state, shownId);
    // A scroll is told of a frame later, which may be after this.
    if (isRendered) isAtEnd = endIsInView();
    const anchor = isAtEnd || !isRendered ? null : placeOfReading();
    keyed(rows, timeline, ROWS);
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
    /** Whether the newest message of the open conversation is in view. */
    get isAtEnd() {
      return shownId !== null && isRendered && isAtEnd;
    },
    focusComposer: composer.focus,
    update(state) {
      const conversation = selectedConversation(state);
      open.hidden = conversation === null;
      nothing.hidden = conversation !== null;
      showConversation(conversation?.id ?? null);
      if (!conversation) return;
      header.update(state, conversation);
      showMessages(state);
    },
    scrollToEnd,
  };
}

function createHeader(actions) {
  const picture = el("span", {});
  const name = el("h2", { class: "thread-name", dir: "auto" });
  const status = el("p", { class: "thread-status" });
  const file = el("button", { class: "icon-button", type: "button" });
  const element = el(
    "header",
    { class: "thread-header" },
    el(
      "a",
      { class: "icon-button back", href: "#/", "aria-label": "All conversations", title: "All conversations" },
      backIcon(),
    ),
    picture,
    el("div", { class: "thread-who" }, name, status),
    file,
  );
  let shown = null;
  let presence = null;

  return {
    element,
    update(state, conversation) {
      const { id, other } = conversation;
      if (shown !== id) {
        shown = id;
        presence = avatarWithPresence(other);
        picture.replaceChildren(presence.element);
      }
      presence.set(isOnline(state, other));
      setText(name, other.display_name);
      setText(status, statusOf(state, conversation));
      status.classList.toggle("is-typing", isTyping(state, id));
      showFiling(conversation);
    },
  };

  function showFiling({ id, state: filed }) {
    const isArchived = filed === "archived";
    const label = isArchived ? "Move back to active" : "Archive";
    if (file.title === label && file.dataset.id === id) return;
    file.title = label;
    file.dataset.id = id;
    file.setAttribute("aria-label", label);
    file.replaceChildren(isArchived ? unarchiveIcon() : archiveIcon());
    file.onclick = () => actions.file(id, isArchived ? "active" : "archived");
  }
}

const ROLE_NAMES = { student: "Student", instructor: "Instructor", admin: "Operator" };

function statusOf(state, { id, other }) {
  if (isTyping(state, id)) return "typing …";
  if (isOnline(state, other)) return "Online";
  const seen = lastActiveAt(state, other);
  return seen ? `Last here ${ago(seen)}` : ROLE_NAMES[other.role];
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
