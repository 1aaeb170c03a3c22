/** Telling the other that we are writing: while keys are pressed, and not more often than needed. */

/** The server forgets after 6 s; renewing at half of that survives one lost request. */
const RENEW_MS = 3_000;
const IDLE_MS = 5_000;

/**
 * @param tell `(conversationId, isTyping)`; its failures do not matter, the indicator goes out by itself.
 */
export function createTypingNotifier(tell) {
  let current = null; // the conversation last told that we are typing
  let toldAt = 0;
  let idleTimer = null;

  function stopped() {
    clearTimeout(idleTimer);
    if (current !== null) tell(current, false);
    current = null;
  }

  function keyPressed(conversationId) {
    if (current !== conversationId) stopped();
    if (current === null || Date.now() - toldAt >= RENEW_MS) {
      current = conversationId;
      toldAt = Date.now();
      tell(conversationId, true);
    }
    clearTimeout(idleTimer);
    idleTimer = setTimeout(stopped, IDLE_MS);
  }

  /** The message was sent, which ends the indicator on the other side without being told. */
  function sent() {
    clearTimeout(idleTimer);
    current = null;
  }

  return { keyPressed, stopped, sent };
}
