/** Where the page begins: who is signed in, and what they are shown. */

import { ApiError, createApi } from "./api.js";
import { el } from "./dom.js";
import { openMessenger } from "./messenger.js";
import { letGoOfOld } from "./shelf.js";
import { createLogin } from "./views/login.js";

/**
 * Whether somebody is signed in can't be read from an HttpOnly cookie. This note of whose session it is spares a signed-out
 * page a request that must fail, and tells other tabs when the session changes.
 */
const SIGNED_IN_AS = "greenroom.signed-in-as";
const NOTICE = "greenroom.notice";
const BOOT_RETRY_MS = 5_000;

const ENDED = {
  revoked: "You were logged out.",
  expired: "Your session has ended. Please log in again.",
};

const app = document.getElementById("app");
const api = createApi({ onUnauthorized: () => leave(ENDED.expired), onAnswer: () => messenger?.heardServer() });
let messenger = null; // what runs while somebody is signed in

window.addEventListener("storage", ({ key, newValue, oldValue }) => {
  if (key === SIGNED_IN_AS && newValue !== oldValue) location.reload();
});

let bootTimer = null;
letGoOfOld();
void boot();

async function boot() {
  clearTimeout(bootTimer);
  if (localStorage.getItem(SIGNED_IN_AS) === null) {
    showLogin();
    return;
  }
  try {
    showMessenger(await api.me());
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 401) showUnreachable(error.message);
  }
}

/** End the session in this tab. Loading the page anew leaves nothing of it in memory. */
function leave(notice = null) {
  localStorage.removeItem(SIGNED_IN_AS);
  sessionStorage.clear();
  if (notice) sessionStorage.setItem(NOTICE, notice);
  location.replace(location.pathname);
}

function showLogin() {
  const notice = sessionStorage.getItem(NOTICE);
  sessionStorage.removeItem(NOTICE);
  const login = createLogin({
    notice,
    widget: api.captcha,
    async submit(mode, fields) {
      const { user } = await (mode === "register" ? api.register(fields) : api.logIn(fields));
      localStorage.setItem(SIGNED_IN_AS, user.id);
      showMessenger(user);
    },
  });
  app.replaceChildren(login.element);
  login.focus();
}

/** The server did not answer the very first question: ask again, by itself or when told. */
function showUnreachable(message) {
  clearTimeout(bootTimer);
  bootTimer = setTimeout(boot, BOOT_RETRY_MS);
  const retry = el(
    "button",
    { class: "button primary", type: "button", on: { click: () => void boot() } },
    "Try again",
  );
  app.replaceChildren(
    el("main", { class: "unreachable", role: "alert" }, el("p", { class: "empty-title" }, message), retry),
  );
}

/** Operators have no conversations: asking for theirs would be refused for ever. */
function showOperator() {
  const logOut = el(
    "button",
    { class: "button", type: "button", on: { click: () => void api.logOut().finally(() => leave()) } },
    "Log out",
  );
  app.replaceChildren(
    el(
      "main",
      { class: "unreachable" },
      el("p", { class: "empty-title" }, "This account runs the server and has no conversations of its own."),
      el("a", { class: "button primary", href: "/admin" }, "Go to the operators' page"),
      logOut,
    ),
  );
}

function showMessenger(me) {
  if (me.role === "admin") {
    showOperator();
    return;
  }
  messenger = openMessenger({ api, me, app, onEnded: (reason) => leave(ENDED[reason] ?? null) });
}
