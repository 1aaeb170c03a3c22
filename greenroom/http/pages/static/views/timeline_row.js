/** One row of a thread: a message in whatever state it is, a system message, or a separator. */

import { el } from "../dom.js";
import { alertIcon, calendarIcon, clockIcon, moreIcon, receivedIcon, sentIcon } from "../icons.js";
import { hourOf, inFull } from "../times.js";

/** Characters of a message that name its actions to who can't see it. */
const SPOKEN_MAX = 80;

const shown = new WeakMap(); // row element → what it shows, to leave it alone while that stays

/**
 * @param actions `{ retry(clientId), discard(clientId), openMenu(row, beside), showHistory(message), react(message, emoji,
 *   isAdded), openLesson(bookingId), editor }`; `editor` is the element that takes the place of a message being edited.
 */
export function updateRow(element, row, actions) {
  const appearance = appearanceOf(row);
  if (shown.get(element) === appearance) return;
  shown.set(element, appearance);
  const { className, children } = RENDER[row.type](row, actions);
  const part = element.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  element.className = className;
  element.replaceChildren(...children);
  // What had the focus was replaced by its like.
  if (part) [...element.querySelectorAll("[data-part]")].find((like) => like.dataset.part === part)?.focus();
}

export const createRow = () => el("li", {});

/** Everything that a row's looks depend on. What is being edited must not be moved: it would lose the focus. */
function appearanceOf({
  type,
  key,
  label,
  message,
  isEditing,
  receipt,
  startsGroup,
  endsGroup,
  reactions,
  booking,
}) {
  if (!message) return `${type} ${label ?? ""}`;
  if (isEditing) return `editing ${key}`;
  const { version, deleted_at, status, problem } = message;
  return JSON.stringify([
    type,
    key,
    version,
    deleted_at,
    status,
    problem,
    receipt,
    startsGroup,
    endsGroup,
    reactions,
    booking,
  ]);
}

const RENDER = {
  day: ({ label }) => ({
    className: "separator",
    children: [el("span", { class: "separator-label" }, label)],
  }),

  divider: () => ({
    className: "separator is-new",
    children: [el("span", { class: "separator-label" }, "New")],
  }),

  system: ({ message, booking }, actions) => ({
    className: "system-message",
    children: [
      el(
        "span",
        { class: "system-line" },
        el("span", { class: "system-text", dir: "auto" }, message.content),
        moment(message.created_at, "system-time"),
      ),
      bookingLine(booking, actions),
    ].filter(Boolean),
  }),

  message: (row, actions) => (row.isEditing ? beingEdited(row, actions) : sent(row, actions)),

  pending: ({ message, booking, startsGroup, endsGroup }, actions) => {
    const isFailed = message.status === "failed";
    return {
      className: classes({
        message: true,
        "is-mine": true,
        "is-pending": !isFailed,
        "is-failed": isFailed,
        startsGroup,
        endsGroup,
      }),
      children: [
        el(
          "div",
          { class: "bubble" },
          bookingLine(booking, actions),
          el("p", { class: "content", dir: "auto" }, message.content),
          el(
            "span",
            { class: "meta" },
            el("span", {}, isFailed ? "Not sent" : "Sending …"),
            isFailed ? alertIcon() : clockIcon(),
          ),
        ),
        ...(isFailed ? [failure(message, actions)] : []),
      ],
    };
  },
};

const beingEdited = ({ isMine, startsGroup, endsGroup }, { editor }) => ({
  className: classes({ message: true, "is-mine": isMine, "is-editing": true, startsGroup, endsGroup }),
  children: [editor],
});

function sent(row, actions) {
  const { message, isMine, receipt, booking, startsGroup, endsGroup } = row;
  const isDeleted = message.deleted_at !== null;
  const bubble = el(
    "div",
    { class: isDeleted ? "bubble is-deleted" : "bubble" },
    bookingLine(booking, actions),
    el("p", { class: "content", dir: "auto" }, isDeleted ? "This message was deleted." : message.content),
    el(
      "span",
      { class: "meta" },
      message.edited_at && !isDeleted && edited(message, actions),
      moment(message.created_at, "meta-time"),
      receipt !== null && !isDeleted && tick(receipt),
    ),
  );
  if (!isDeleted) bubble.addEventListener("click", () => isTouched() && actions.openMenu(row, bubble));
  return {
    className: classes({ message: true, "is-mine": isMine, startsGroup, endsGroup }),
    children: [
      el("div", { class: "message-line" }, bubble, !isDeleted && more(row, bubble, actions)),
      ...reactions(row, actions),
    ],
  };
}

/** A tap on a message where nothing can hover; one that ends the selecting of text is none. */
const isTouched = () => matchMedia("(hover: none)").matches && getSelection().isCollapsed;

const more = (row, bubble, { openMenu }) =>
  el(
    "button",
    {
      class: "message-more",
      type: "button",
      tabIndex: -1,
      title: "React, and more",
      "data-part": "more",
      "aria-haspopup": "dialog",
      "aria-label": `${row.author}, ${hourOf(row.message.created_at)}: ${row.message.content.slice(0, SPOKEN_MAX)}. Actions`,
      on: { click: () => openMenu(row, bubble) },
    },
    moreIcon(),
  );

const edited = (message, { showHistory }) =>
  el(
    "button",
    {
      class: "edited",
      type: "button",
      tabIndex: -1,
      title: `Edited ${inFull(message.edited_at)}. Show what it said`,
      "data-part": "edited",
      on: { click: (event) => (event.stopPropagation(), showHistory(message)) },
    },
    "edited",
  );

/** The lesson a message is about, which opens when it is pressed; as it is now, not as it was then. */
function bookingLine(booking, { openLesson }) {
  if (!booking) return null;
  const { id, title, when, status } = booking;
  const parts = [calendarIcon(), el("span", { class: "booking-title", dir: "auto" }, title)];
  if (!when) return el("span", { class: "booking" }, ...parts);
  return el(
    "button",
    {
      class: status === "cancelled" ? "booking is-cancelled" : "booking",
      type: "button",
      tabIndex: -1,
      "data-part": "booking",
      "aria-haspopup": "dialog",
      on: { click: (event) => (event.stopPropagation(), openLesson(id)) },
    },
    ...parts,
    el("span", { class: "booking-when" }, when),
    status !== "booked" &&
      el("span", { class: status === "cancelled" ? "visually-hidden" : "booking-status" }, status),
  );
}

function failure(message, { retry, discard }) {
  return el(
    "div",
    { class: "failure", role: "alert" },
    el("span", {}, message.problem),
    el("button", { class: "link", type: "button", on: { click: () => retry(message.clientId) } }, "Try again"),
    el(
      "button",
      { class: "link quiet", type: "button", on: { click: () => discard(message.clientId) } },
      "Discard",
    ),
  );
}

function reactions({ message, reactions: chips }, { react }) {
  if (!chips.length) return [];
  const buttons = chips.map(({ emoji, count, isMine, names }) =>
    el(
      "button",
      {
        class: isMine ? "reaction is-own" : "reaction",
        type: "button",
        tabIndex: -1,
        title: names,
        "data-part": `reaction ${emoji}`,
        "aria-label": `${emoji} from ${names}`,
        "aria-pressed": String(isMine),
        on: { click: () => react(message, emoji, !isMine) },
      },
      el("span", { class: "reaction-emoji" }, emoji),
      el("span", { class: "reaction-count" }, String(count)),
    ),
  );
  return [el("div", { class: "reactions" }, ...buttons)];
}

const TICKS = { sent: ["Sent", sentIcon], delivered: ["Delivered", receivedIcon], read: ["Read", receivedIcon] };

function tick(receipt) {
  const [label, makeIcon] = TICKS[receipt];
  return el("span", { class: `tick is-${receipt}`, title: label, role: "img", "aria-label": label }, makeIcon());
}

const moment = (time, className) =>
  el("time", { class: className, dateTime: time, title: inFull(time) }, hourOf(time));

function classes({ startsGroup, endsGroup, ...names }) {
  const all = { ...names, "starts-group": startsGroup, "ends-group": endsGroup };
  return Object.keys(all)
    .filter((name) => all[name])
    .join(" ");
}
