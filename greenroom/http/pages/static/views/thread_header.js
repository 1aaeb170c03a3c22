/** Who the open conversation is with, the next lesson, booking one, and filing it. */

import { nextLesson } from "../bookings.js";
import { el, setText } from "../dom.js";
import { archiveIcon, bookIcon, calendarIcon, restoreIcon, trashIcon, unarchiveIcon } from "../icons.js";
import { isOnline, isTyping, lastActiveAt, presenceOf } from "../selectors.js";
import { ago } from "../times.js";
import { avatarWithPresence } from "./avatar.js";
import { addressOfLessons } from "./lessons_pane.js";
import { backLink } from "./pane_header.js";

/** What can be done with a conversation, by how it is filed. */
const FILINGS = {
  active: [
    ["archived", "Archive", archiveIcon],
    ["trashed", "Move to trash", trashIcon],
  ],
  archived: [
    ["active", "Move back to active", unarchiveIcon],
    ["trashed", "Move to trash", trashIcon],
  ],
  trashed: [["active", "Restore", restoreIcon]],
};

const ROLE_NAMES = { student: "Student", instructor: "Instructor", admin: "Operator" };

/** @param actions `{ file(conversationId, state), openLesson(bookingId), bookWith(instructor) }` */
export function createThreadHeader(actions) {
  const picture = el("span", {});
  const name = el("h2", { class: "thread-name", dir: "auto" });
  const status = el("p", { class: "thread-status" });
  const filing = el("div", { class: "thread-filing" });
  const book = el(
    "button",
    { class: "button book", type: "button", hidden: true, on: { click: () => actions.bookWith(shown.other) } },
    bookIcon(),
    el("span", {}, "Book a lesson"),
  );
  const lesson = createNextLesson(actions);
  const element = el(
    "header",
    {},
    el(
      "div",
      { class: "thread-header" },
      backLink(),
      picture,
      el("div", { class: "thread-who" }, name, status),
      book,
      filing,
    ),
    lesson.element,
  );
  let shown = null;
  let shownFiling = null;
  let presence = null;

  return {
    element,
    update(state, conversation) {
      const { id, other } = conversation;
      if (shown?.id !== id) {
        presence = avatarWithPresence(other);
        picture.replaceChildren(presence.element);
      }
      shown = conversation;
      presence.set(presenceOf(state, other));
      setText(name, other.display_name);
      setText(status, statusOf(state, conversation));
      status.classList.toggle("is-typing", isTyping(state, id));
      showFiling(conversation);
      // Instructors are booked; what is in the trash is looked at, not gone on with.
      book.hidden = state.me.role !== "student" || conversation.state === "trashed";
      lesson.show(nextLesson(state, conversation, new Date()));
    },
  };

  function showFiling({ id, state: filed }) {
    if (shownFiling === `${id} ${filed}`) return;
    shownFiling = `${id} ${filed}`;
    filing.replaceChildren(
      ...FILINGS[filed].map(([to, label, image]) =>
        el(
          "button",
          {
            class: "icon-button",
            type: "button",
            title: label,
            "aria-label": label,
            on: { click: () => actions.file(id, to) },
          },
          image(),
        ),
      ),
    );
  }
}

/** The next lesson, which opens when it is pressed. */
function createNextLesson({ openLesson }) {
  const what = el("span", { class: "visually-hidden" });
  const title = el("span", { class: "next-lesson-title", dir: "auto" });
  const when = el("span", { class: "next-lesson-when" });
  const more = el("a", { class: "link next-lesson-more", href: addressOfLessons() });
  const button = el(
    "button",
    {
      class: "next-lesson-button",
      type: "button",
      "aria-haspopup": "dialog",
      on: { click: () => openLesson(shown.id) },
    },
    calendarIcon(),
    what,
    title,
    when,
  );
  const element = el("div", { class: "next-lesson", hidden: true }, button, more);
  let shown = null;

  return {
    element,
    show(next) {
      shown = next;
      element.hidden = next === null;
      if (!next) return;
      setText(what, next.isUnderWay ? "Lesson under way:" : "Next lesson:");
      setText(title, next.title);
      setText(when, next.isUnderWay ? `${next.when} · under way` : next.when);
      more.hidden = next.more === 0;
      setText(more, `${next.more} more`);
    },
  };
}

function statusOf(state, { id, other }) {
  if (isTyping(state, id)) return "typing …";
  if (isOnline(state, other)) return "Online";
  const seen = lastActiveAt(state, other);
  return seen ? `Last here ${ago(seen)}` : ROLE_NAMES[other.role];
}
