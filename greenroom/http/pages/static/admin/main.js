/** The console: sign in, then the console itself, until the credentials are over. */

import { createOperatorApi } from "./operator_api.js";
import { forgetCredentials, keepCredentials, readCredentials } from "./credentials.js";
import { createConsole } from "./console.js";
import { createSignIn } from "./views/sign_in.js";

const nobody = { credentials: null, onUnauthorized() {} };
const root = document.getElementById("console");
let shown = null;

function show(part) {
  shown?.close?.();
  shown = part;
  root.replaceChildren(part.element);
  part.focus?.();
}

function askWhoOperates(notice = null) {
  show(createSignIn({ notice, signIn, widget: () => createOperatorApi(nobody).captcha() }));
}

/** Rejects with an ApiError if they are no operator's. */
async function signIn(given) {
  let credentials;
  if (given.key) {
    credentials = { kind: "key", secret: given.key, name: "operator’s key" };
  } else {
    const answer = await createOperatorApi(nobody).logIn(given);
    credentials = { kind: "token", secret: answer.access_token, name: answer.user.display_name };
  }
  try {
    await createOperatorApi({ credentials, onUnauthorized() {} }).probe();
  } catch (error) {
    if (credentials.kind === "token") end(credentials);
    throw error;
  }
  keepCredentials(credentials);
  operate(credentials);
}

function operate(credentials) {
  show(
    createConsole({
      credentials,
      onSignOut() {
        forgetCredentials();
        end(credentials);
        askWhoOperates("You are signed out.");
      },
      onRefused(error) {
        forgetCredentials();
        askWhoOperates(error?.status === 403 ? error.message : "Your access has ended; sign in again.");
      },
    }),
  );
}

/** End a session that was opened for the console; a key has none. */
function end(credentials) {
  if (credentials.kind === "token") createOperatorApi({ credentials, onUnauthorized() {} }).logOut().catch(() => {});
}

const kept = readCredentials();
if (kept) operate(kept);
else askWhoOperates();
