/** The list of conversations, and what stands around it. */

import { soonest } from "../bookings.js";
import { el, keyed, setText } from "../dom.js";
import { calendarIcon, editIcon, logOutIcon, searchIcon, speechIcon, writeIcon } from "../icons.js";
import { addressOfSearch } from "../sentence.js";
import { isTyping, listed, pendingOf, presenceOf } from "../selectors.js";
import { briefly, dayAndHour, inFull } from "../times.js";
import { avatar, avatarWithPresence } from "./avatar.js";
import { addressOfLessons } from "./lessons_pane.js";

/** How close to the end of the list the next page is asked for. */
const NEAR_END_PX = 300;

/**
 * @param me the signed-in user.
 * @param actions `{ chooseFilter, startConversation, editOffer, loadMoreConversations, logOut }`
 */
export function createConversationList(me, actions) {
  const list = el("ul", { class: "conversations" });
  const empty = el("div", { class: "list-empty", hidden: true });
  const scroller = el(
    "nav",
    { class: "list-scroller", "aria-label": "Conversations", on: { scroll: onScroll } },
    list,
    empty,
  );
  const filters = FILTERS.map((filter) =>
    el(
      "button",
      { class: "segment", type: "button", on: { click: () => actions.chooseFilter(filter) } },
      NAMES[filter],
    ),
  );
  const total = el("span", { class: "badge", hidden: true });
  const liveWords = el("span", {});
  const live = el("span", { class: "live" }, el("span", { class: "live-dot", "aria-hidden": "true" }), liveWords);
  const nextLesson = el("span", { class: "lessons-link-when" });
  const lessons = el(
    "a",
    { class: "lessons-link", href: addressOfLessons() },
    calendarIcon(),
    el("span", { class: "lessons-link-name" }, "My lessons"),
    nextLesson,
  );
  // Students look for an instructor; an instructor says what there is to be found.
  const isStudent = me.role === "student";
  const start = headerButton(
    ...(isStudent
      ? ["New conversation", writeIcon(), actions.startConversation]
      : ["What I teach", editIcon(), actions.editOffer]),
  );
  const search =
    isStudent &&
    el(
      "a",
      { class: "lessons-link", href: addressOfSearch() },
      searchIcon(),
      el("span", { class: "lessons-link-name" }, "Find lessons"),
    );
  const element = el(
    "section",
    { class: "sidebar", "aria-label": "Your conversations" },
    el(
      "header",
      { class: "sidebar-header" },
      el("span", { class: "brand-mark small" }, speechIcon()),
      el("h1", { class: "wordmark small" }, "greenroom"),
      total,
      el("span", { class: "spacer" }),
      start,
    ),
    search,
    lessons,
    el("div", { class: "segments", role: "group", "aria-label": "Show" }, ...filters),
    scroller,
    el(
      "footer",
      { class: "sidebar-footer" },
      avatar(me),
      el("span", { class: "me" }, el("span", { class: "me-name", dir: "auto" }, me.display_name), live),
      el(
        "button",
        {
          class: "icon-button",
          type: "button",
          title: "Log out",
          "aria-label": "Log out",
          on: { click: actions.logOut },
        },
        logOutIcon(),
      ),
    ),
  );

  function onScroll() {
    const left = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    if (left < NEAR_END_PX) actions.loadMoreConversations();
  }

  function showEmpty(state) {
    empty.hidden = !state.isSynced || list.childElementCount > 0;
    if (empty.hidden || empty.dataset.filter === state.filter) return;
    empty.dataset.filter = state.filter;
    const [title, words] = emptyWords(state.filter, me.role);
    empty.replaceChildren(
      el("p", { class: "empty-title" }, title),
      el("p", { class: "empty-words" }, words),
      ...(state.filter === "active" && isStudent
        ? [
            el(
              "button",
              { class: "button primary", type: "button", on: { click: actions.startConversation } },
              "Find an instructor",
            ),
          ]
        : []),
    );
  }

  return {
    element,
    update(state) {
      keyed(list, listed(state), {
        key: (conversation) => conversation.id,
        create: createRow,
        update: (row, conversation) => rows.get(row)(state, conversation, me),
      });
      showEmpty(state);
      for (const [index, filter] of FILTERS.entries()) {
        filters[index].setAttribute("aria-pressed", String(state.filter === filter));
      }
      total.hidden = state.totalUnread === 0;
      setText(total, brief(state.totalUnread));
      total.setAttribute("aria-label", `${state.totalUnread} unread`);
      const isLive = state.connection.status === "live";
      live.classList.toggle("is-live", isLive);
      setText(liveWords, isLive ? "Live" : "Not connected");
      const next = soonest(state, new Date());
      setText(nextLesson, next ? dayAndHour(next.starts_at) : "");
      markCurrent(lessons, state.tense !== null);
      if (search) markCurrent(search, state.search.asked !== null);
    },
  };
}

function markCurrent(link, isCurrent) {
  if (isCurrent) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

const FILTERS = ["active", "archived", "trashed"];
const NAMES = { active: "Active", archived: "Archived", trashed: "Trash" };

const rows = new WeakMap(); // row element → how to bring it up to date

function createRow(conversation) {
  const picture = avatarWithPresence(conversation.other);
  const name = el("span", { class: "row-name", dir: "auto" });
  const time = el("time", { class: "row-time" });
  const preview = el("span", { class: "row-preview", dir: "auto" });
  const unread = el("span", { class: "badge" });
  const link = el(
    "a",
    { class: "row", href: `#/c/${encodeURIComponent(conversation.id)}` },
    picture.element,
    el(
      "span",
      { class: "row-text" },
      el("span", { class: "row-line" }, name, time),
      el("span", { class: "row-line" }, preview, unread),
    ),
  );
  const row = el("li", {}, link);

  rows.set(row, (state, current, me) => {
    const { other, last_message_at, unread_count } = current;
    picture.set(presenceOf(state, other));
    setText(name, other.display_name);
    time.dateTime = last_message_at;
    time.title = inFull(last_message_at);
    setText(time, briefly(last_message_at));
    const words = previewOf(state, current, me);
    setText(preview, words.text);
    preview.className = `row-preview ${words.style}`;
    unread.hidden = unread_count === 0;
    setText(unread, brief(unread_count));
    unread.setAttribute("aria-label", `${unread_count} unread`);
    link.classList.toggle("is-unread", unread_count > 0);
    if (state.selected === current.id) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  });
  return row;
}

function previewOf(state, conversation, me) {
  if (isTyping(state, conversation.id)) return { text: "typing …", style: "is-typing" };
  const waiting = pendingOf(state, conversation.id).at(-1);
  if (waiting?.status === "failed") return { text: "Not sent", style: "is-failed" };
  if (waiting) return { text: `You: ${waiting.content}`, style: "is-pending" };
  const last = conversation.last_message;
  if (!last) return { text: "No messages yet", style: "is-quiet" };
  if (last.deleted_at) return { text: "Message deleted", style: "is-quiet" };
  if (last.kind === "system") return { text: last.content, style: "is-quiet" };
  return { text: last.sender_id === me.id ? `You: ${last.content}` : last.content, style: "" };
}

function emptyWords(filter, role) {
  if (filter === "archived")
    return ["Nothing archived", "Archived conversations rest here until a new message brings them back."];
  if (filter === "trashed")
    return [
      "The trash is empty",
      "What you put here stays until you restore it. The other person does not notice.",
    ];
  if (role === "student")
    return ["No conversations yet", "Ask an instructor anything. No booking is needed to say hello."];
  return ["No conversations yet", "When a student writes to you, the conversation appears here at once."];
}

const brief = (count) => (count > 99 ? "99+" : String(count));

function headerButton(label, icon, click) {
  return el(
    "button",
    { class: "icon-button accent", type: "button", title: label, "aria-label": label, on: { click } },
    icon,
  );
}
