/** Logging in, and making an account. */

import { el, setText } from "../dom.js";
import { ApiError } from "../api.js";
import { inSeconds } from "../times.js";
import { speechIcon } from "../icons.js";
import { createCaptcha } from "./captcha.js";
import { field } from "./field.js";

/**
 * @param notice why the person is here, in words, or null.
 * @param submit `("login" | "register", fields)`, rejects with an ApiError.
 * @param widget asks which captcha is shown where the server wants one.
 */
export function createLogin({ notice, submit, widget }) {
  let mode = "login";
  let blockedUntil = 0;
  let ticking = null;

  const nameField = field("Your name", {
    name: "display_name",
    autocomplete: "name",
    required: true,
    maxLength: 80,
  });
  const email = field("E-mail address", {
    name: "email",
    type: "email",
    autocomplete: "username",
    required: true,
  });
  const password = field("Password", { name: "password", type: "password", required: true });
  const roles = el(
    "fieldset",
    { class: "choice" },
    el("legend", {}, "I want to"),
    choice("role", "student", "Learn", true),
    choice("role", "instructor", "Teach", false),
  );
  const captcha = createCaptcha({ widget });
  const problem = el("p", { class: "form-problem", role: "alert" });
  const button = el("button", { class: "button primary wide", type: "submit" });
  const title = el("h2", {});
  const switchWords = el("span", {});
  const switchButton = el("button", { class: "link", type: "button", on: { click: switchMode } });
  const form = el(
    "form",
    { class: "card", on: { submit: onSubmit } },
    title,
    notice && el("p", { class: "form-notice", role: "status" }, notice),
    nameField.element,
    email.element,
    password.element,
    roles,
    captcha.element,
    problem,
    button,
    el("p", { class: "switch" }, switchWords, " ", switchButton),
  );
  const element = el(
    "main",
    { class: "login" },
    el(
      "header",
      { class: "login-brand" },
      el("span", { class: "brand-mark" }, speechIcon()),
      el("h1", { class: "wordmark" }, "greenroom"),
      el("p", { class: "tagline" }, "Every good lesson begins with a conversation."),
    ),
    form,
  );

  function show() {
    const isNew = mode === "register";
    setText(title, isNew ? "Create your account" : "Welcome back");
    setText(button, isNew ? "Create account" : "Log in");
    setText(switchWords, isNew ? "Already have an account?" : "New here?");
    setText(switchButton, isNew ? "Log in" : "Create an account");
    for (const part of [nameField.element, roles]) part.hidden = !isNew;
    nameField.input.disabled = !isNew;
    password.input.autocomplete = isNew ? "new-password" : "current-password";
    setText(password.hint, isNew ? "At least 8 characters." : "");
    problem.textContent = "";
  }

  function switchMode() {
    mode = mode === "login" ? "register" : "login";
    show();
    (mode === "register" ? nameField : email).input.focus();
  }

  async function onSubmit(event) {
    event.preventDefault();
    if (button.disabled) return;
    problem.textContent = "";
    if (mode === "login" && captcha.isOpen) {
      problem.textContent = "Please confirm first that you are a person.";
      return;
    }
    button.disabled = true;
    const fields = { email: email.input.value.trim(), password: password.input.value };
    if (mode === "login") {
      Object.assign(fields, captcha.fields);
    } else {
      fields.display_name = nameField.input.value.trim();
      fields.role = form.elements.role.value;
    }
    try {
      await submit(mode, fields);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      explain(error, mode === "login" ? await captcha.refused(error) : null);
    } finally {
      if (Date.now() >= blockedUntil) button.disabled = false;
    }
  }

  function explain(error, more) {
    if (error.retryAfterS !== null) {
      blockedUntil = Date.now() + error.retryAfterS * 1000;
      clearInterval(ticking);
      ticking = setInterval(() => countDown(error.message), 250);
      countDown(error.message);
      return;
    }
    problem.textContent = [error.message, more].filter(Boolean).join(" ");
    (error.code === "email_taken" ? email : password).input.select();
  }

  function countDown(message) {
    const left = blockedUntil - Date.now();
    button.disabled = left > 0;
    if (left > 0) {
      setText(problem, `${message} You can try again in ${inSeconds(left)}.`);
    } else {
      clearInterval(ticking);
      problem.textContent = "";
    }
  }

  show();
  return { element, focus: () => email.input.focus() };
}

function choice(name, value, label, checked) {
  return el(
    "label",
    { class: "choice-option" },
    el("input", { type: "radio", name, value, checked }),
    el("span", {}, label),
  );
}
