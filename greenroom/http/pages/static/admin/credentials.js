/**
 * Who operates, for as long as this tab is open: an operator's key, or the token of a user who signed in here.
 *
 * It is sent as a header and never as a cookie, so no other page of this browser can act with it; sessionStorage keeps it
 * over a reload and no longer than the tab.
 */

const NAME = "greenroom-operator";

/** @returns {{kind: "key" | "token", secret: string, name: string} | null} */
export function readCredentials() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(NAME));
    return kept?.secret ? kept : null;
  } catch {
    return null;
  }
}

export function keepCredentials(credentials) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(credentials));
  } catch {
    // Storage may be off; then a reload asks again.
  }
}

export function forgetCredentials() {
  try {
    sessionStorage.removeItem(NAME);
  } catch {
    // Nothing was kept then.
  }
}

export function headersOf({ kind, secret }) {
  return kind === "key" ? { "X-API-Key": secret } : { Authorization: `Bearer ${secret}` };
}
