/** Who the open conversation is with, the next lesson, and filing it. */

import { nextLesson } from "../bookings.js";
import { el, setText } from "../dom.js";
import { archiveIcon, backIcon, calendarIcon, restoreIcon, trashIcon, unarchiveIcon } from "../icons.js";
import { isOnline, isTyping, lastActiveAt } from "../selectors.js";
import { ago } from "../times.js";
import { avatarWithPresence } from "./avatar.js";

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

/** @param actions `{ file(conversationId, state) }` */
export function createThreadHeader(actions) {
  const picture = el("span", {});
  const name = el("h2", { class: "thread-name", dir: "auto" });
  const status = el("p", { class: "thread-status" });
  const filing = el("div", { class: "thread-filing" });
  const lesson = el("p", { class: "next-lesson", hidden: true });
  const element = el(
    "header",
    {},
    el(
      "div",
      { class: "thread-header" },
      el(
        "a",
        { class: "icon-button back", href: "#/", "aria-label": "All conversations", title: "All conversations" },
        backIcon(),
      ),
      picture,
      el("div", { class: "thread-who" }, name, status),
      filing,
    ),
    lesson,
  );
  let shown = null;
  let shownFiling = null;
  let shownLesson = null;
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
      showLesson(nextLesson(state, conversation, new Date()));
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

  function showLesson(next) {
    const text = next ? `${next.title} · ${next.when}` : null;
    if (shownLesson === text) return;
    shownLesson = text;
    lesson.hidden = next === null;
    lesson.replaceChildren(
      ...(next
        ? [
            calendarIcon(),
            el("span", { class: "visually-hidden" }, "Next lesson:"),
            el("span", { class: "next-lesson-title", dir: "auto" }, next.title),
            el("span", { class: "next-lesson-when" }, next.when),
          ]
        : []),
    );
  }
}

function statusOf(state, { id, other }) {
  if (isTyping(state, id)) return "typing …";
  if (isOnline(state, other)) return "Online";
  const seen = lastActiveAt(state, other);
  return seen ? `Last here ${ago(seen)}` : ROLE_NAMES[other.role];
}
