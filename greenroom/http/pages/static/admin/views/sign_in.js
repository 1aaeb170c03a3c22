/** Who operates: an admin with a password, or whoever holds the operator's key. */

import { el, setText } from "../../dom.js";
import { ApiError } from "../../api.js";
import { speechIcon } from "../../icons.js";
import { createCaptcha } from "../../views/captcha.js";

/**
 * @param notice why they are asked, or null.
 * @param signIn `({email, password, captcha_token?} | {key})`, rejects with an ApiError.
 * @param widget asks which captcha is shown where the server wants one.
 */
export function createSignIn({ notice, signIn, widget }) {
  let byKey = false;
  const email = field("E-mail address", { name: "email", type: "email", autocomplete: "username" });
  const password = field("Password", { name: "password", type: "password", autocomplete: "current-password" });
  const key = field("Operator’s key", { name: "key", type: "password", autocomplete: "off", spellcheck: false });
  setText(key.hint, "GREENROOM_ADMIN_API_KEY, or what is in data/admin-api-key.");
  const captcha = createCaptcha({ widget });
  const problem = el("p", { class: "form-problem", role: "alert" });
  const button = el("button", { class: "button primary wide", type: "submit" }, "Sign in");
  const choices = [
    el("button", { class: "segment", type: "button", on: { click: () => choose(false) } }, "As an admin"),
    el("button", { class: "segment", type: "button", on: { click: () => choose(true) } }, "With the key"),
  ];
  const element = el(
    "main",
    { class: "operator-sign-in" },
    el(
      "header",
      { class: "login-brand" },
      el("span", { class: "brand-mark" }, speechIcon()),
      el("h1", { class: "wordmark" }, "greenroom"),
      el("p", { class: "tagline" }, "Operations"),
    ),
    el(
      "form",
      { class: "card", on: { submit: onSubmit } },
      notice && el("p", { class: "form-notice", role: "status" }, notice),
      el("div", { class: "segments", role: "group", "aria-label": "Sign in" }, ...choices),
      email.element,
      password.element,
      key.element,
      captcha.element,
      problem,
      button,
    ),
  );

  function choose(isByKey) {
    byKey = isByKey;
    choices[0].setAttribute("aria-pressed", String(!byKey));
    choices[1].setAttribute("aria-pressed", String(byKey));
    for (const each of [email, password]) {
      each.element.hidden = byKey;
      each.input.required = !byKey;
    }
    key.element.hidden = !byKey;
    key.input.required = byKey;
    problem.textContent = "";
    (byKey ? key : email).input.focus();
  }

  async function onSubmit(event) {
    event.preventDefault();
    if (button.disabled) return;
    problem.textContent = "";
    if (!byKey && captcha.isOpen) {
      problem.textContent = "Please confirm first that you are a person.";
      return;
    }
    button.disabled = true;
    try {
      await signIn(
        byKey
          ? { key: key.input.value.trim() }
          : { email: email.input.value.trim(), password: password.input.value, ...captcha.fields },
      );
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const more = byKey ? null : await captcha.refused(error);
      const isNoOperator = error.status === 403 && !error.code.startsWith("captcha_");
      setText(problem, isNoOperator ? "This account is no operator’s." : [error.message, more].filter(Boolean).join(" "));
      (byKey ? key : password).input.select();
    } finally {
      button.disabled = false;
    }
  }

  choose(false);
  return { element, focus: () => email.input.focus() };
}

function field(label, properties) {
  const input = el("input", { class: "input", id: `field-${properties.name}`, ...properties });
  const hint = el("span", { class: "hint", id: `hint-${properties.name}` });
  input.setAttribute("aria-describedby", hint.id);
  return { element: el("div", { class: "field" }, el("label", { htmlFor: input.id }, label), input, hint), input, hint };
}
