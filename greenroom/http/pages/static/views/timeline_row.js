/** One row of a thread: a message in whatever state it is, a system message, or a separator. */

import { el } from "../dom.js";
import { alertIcon, clockIcon, receivedIcon, sentIcon } from "../icons.js";
import { hourOf, inFull } from "../times.js";

const shown = new WeakMap(); // row element → what it shows, to leave it alone while that stays

/** @param actions `{ retry(clientId), discard(clientId) }` */
export function updateRow(element, row, actions) {
  const appearance = appearanceOf(row);
  if (shown.get(element) === appearance) return;
  shown.set(element, appearance);
  const { className, children } = RENDER[row.type](row, actions);
  element.className = className;
  element.replaceChildren(...children);
}

export const createRow = () => el("li", {});

/** Everything that a row's looks depend on. */
function appearanceOf({ type, key, label, message, receipt, startsGroup, endsGroup }) {
  if (!message) return `${type} ${label ?? ""}`;
  const { version, deleted_at, status, problem, reactions } = message;
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

  system: ({ message }) => ({
    className: "system-message",
    children: [
      el("span", { class: "system-text", dir: "auto" }, message.content),
      moment(message.created_at, "system-time"),
    ],
  }),

  message: ({ message, isMine, receipt, startsGroup, endsGroup }) => ({
    className: classes({ message: true, "is-mine": isMine, startsGroup, endsGroup }),
    children: [
      el(
        "div",
        { class: message.deleted_at ? "bubble is-deleted" : "bubble" },
        el(
          "p",
          { class: "content", dir: "auto" },
          message.deleted_at ? "This message was deleted." : message.content,
        ),
        el(
          "span",
          { class: "meta" },
          message.edited_at && !message.deleted_at ? el("span", {}, "edited") : null,
          moment(message.created_at, "meta-time"),
          receipt !== null && !message.deleted_at && tick(receipt),
        ),
      ),
      ...reactions(message),
    ],
  }),

  pending: ({ message, startsGroup, endsGroup }, actions) => {
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

function reactions({ reactions: given, deleted_at }) {
  if (!given?.length || deleted_at) return [];
  const chips = given.map(({ emoji, user_ids }) =>
    el("span", { class: "reaction" }, emoji, ` ${user_ids.length}`),
  );
  return [el("div", { class: "reactions" }, ...chips)];
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
