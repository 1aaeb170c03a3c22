/** Asks before an operator does something: what it means, and why it is done, which is kept with the record. */

import { el, setText } from "../../dom.js";

export const ACTIONS = {
  restart: ["Restart", "It ends after its current message and starts again with a fresh state. Its mail is kept."],
  stop: [
    "Stop",
    "It drains its mail and ends. One that is started on demand comes back with the next message to it; any other stays stopped until it is restarted.",
  ],
  suspend: ["Suspend", "It finishes the message in hand and handles no more until it is resumed. Its mail queues up, to the limit of its mailbox."],
  resume: ["Resume", "It goes on with its mail."],
  passivate: ["Passivate", "It goes to sleep after its current message; the next message wakes it."],
};

/** Added for an actor without which the server can't do its work. */
const CONSEQUENCES = {
  stop: "Nothing works without this actor. Until it is started again, requests are refused and /health/ready says 503, so load balancers take this server out.",
  suspend: "Nothing works without this actor. Until it is resumed, requests are refused and /health/ready says 503, so load balancers take this server out.",
};

/** Ask about one of the ACTIONS on an actor; `label` is what it is called here. The rest is as with {@link ask}. */
export function askAndAct({ action, label, path, isEssential, act }) {
  const consequence = isEssential ? CONSEQUENCES[action] : undefined;
  const isDestructive = action === "stop" || label === "Restart" || consequence !== undefined;
  return ask({ title: `${label} this actor?`, subject: path, meaning: ACTIONS[action][1], consequence, label, isDestructive, act });
}

/**
 * @param subject what it is done to.
 * @param consequence what else it does, if that is to be warned of.
 * @param label of the button that does it.
 * @param act `(reason)`, rejects with an ApiError. Resolves to whether it was done.
 */
export function ask({ title, subject, meaning, consequence, label, isDestructive = false, act }) {
  const reason = el("input", { class: "input", id: "action-reason", maxLength: 500, autocomplete: "off" });
  const problem = el("p", { class: "form-problem", role: "alert" });
  const confirm = el(
    "button",
    { class: isDestructive ? "button primary is-danger" : "button primary", type: "submit" },
    consequence ? `${label} it all the same` : label,
  );
  const cancel = el("button", { class: "button", type: "button", on: { click: () => dialog.close() } }, "Cancel");
  const dialog = el(
    "dialog",
    { class: "dialog action-dialog", "aria-labelledby": "action-title" },
    el(
      "form",
      { class: "action-form", on: { submit: onSubmit } },
      el("h2", { class: "dialog-title", id: "action-title" }, title),
      el("p", { class: "action-path" }, subject),
      el("p", { class: "action-meaning" }, meaning),
      consequence && el("p", { class: "alarm action-consequence" }, consequence),
      el(
        "div",
        { class: "field" },
        el("label", { htmlFor: reason.id }, "Reason"),
        reason,
        el("span", { class: "hint" }, "Kept in the audit, together with who you are."),
      ),
      problem,
      el("div", { class: "dialog-buttons" }, cancel, confirm),
    ),
  );
  let wasDone = false;

  async function onSubmit(event) {
    event.preventDefault();
    if (confirm.disabled) return;
    confirm.disabled = true;
    setText(problem, "");
    try {
      await act(reason.value.trim());
      wasDone = true;
      dialog.close();
    } catch (error) {
      setText(problem, error.message);
    } finally {
      confirm.disabled = false;
    }
  }

  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(wasDone);
    });
    document.body.append(dialog);
    dialog.showModal();
    reason.focus();
  });
}
