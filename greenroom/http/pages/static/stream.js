/**
 * The event stream: a browser EventSource, kept alive and told from which cursor to go on.
 *
 * 1. Without a cursor, `sync` reads a snapshot and returns the one it was taken at.
 * 2. A connection opens at the cursor; each event that carries an id moves it.
 * 3. It is live from `ready` on, not from the first byte: a proxy may answer for a server that is not there.
 * 4. After an error it is opened again by us, not by the browser: so that a wait can be shown and cut short, and so that
 *    a refusal (which ends an EventSource for good) is asked about instead of repeated for ever.
 * 5. Waits double from half a second and are jittered, so that a restarted server is not met by everyone at once.
 * 6. While somebody uses the tab, the server is asked each second whether it is ready, and a wait ends when it is again;
 *    so it does when a request of theirs succeeds. A stream refused by a server that is ready waits out its time.
 * 7. A stream that says nothing for 40 s (heartbeats come every 15 s) is dead even if its socket is not; one that does
 *    not open within 10 s is given up.
 * 8. `reset` means the cursor can't be served: forget it and begin at 1.
 */

import { createReadinessWatch } from "./readiness.js";

const SILENCE_MS = 40_000;
const OPENING_MS = 10_000;
const WAIT_FIRST_MS = 1_000;
const WAIT_MAX_MS = 20_000;
/** A wait is not cut short sooner after a try than this. */
const BREATH_MS = 1_000;
/** A connection that lived this long was sound: the next wait starts small again. */
const STEADY_MS = 10_000;

/**
 * @param url of the stream.
 * @param eventNames the events to hand on; EventSource delivers only those it was told of.
 * @param sync resolves to a cursor, or rejects when no snapshot could be had.
 * @param probe asked after a refused connection, to find out whether the session is over; may reject.
 * @param onReady called with the data of `ready`.
 * @param onEvent called with `{ name, id, data }`, in stream order.
 * @param onConnection called with `{ status, attempt, reason?, retryAt? }`; status is one of `connecting`, `live`,
 *   `waiting` (until `retryAt`, in ms), `offline` and `stopped` (for good, unless `reconnect` is called).
 * @param onEnded called with a reason when the session is over.
 */
export function createStream({
  url,
  eventNames,
  sync,
  probe,
  onReady,
  onEvent,
  onConnection,
  onEnded,
  random = Math.random,
}) {
  let cursor = null;
  let source = null;
  let attempt = 0;
  let generation = 0;
  let retryTimer = null;
  let silenceTimer = null;
  let liveSince = null;
  let heardAt = 0;
  let triedAt = 0;
  let status = null;
  const readiness = createReadinessWatch({ onReady: tryNow, random });

  function report(connection) {
    status = connection.status;
    onConnection({ attempt, ...connection });
  }

  function release() {
    generation += 1;
    readiness.stop();
    clearTimeout(retryTimer);
    clearTimeout(silenceTimer);
    source?.close();
    source = null;
    if (liveSince !== null && Date.now() - liveSince >= STEADY_MS) attempt = 0;
    liveSince = null;
  }

  async function connect() {
    release();
    const mine = generation;
    triedAt = Date.now();
    report({ status: "connecting" });
    if (cursor === null) {
      let fresh = null;
      try {
        fresh = await sync();
      } catch {
        if (mine === generation) wait();
        return;
      }
      if (mine !== generation) return;
      cursor = fresh;
    }
    open();
  }

  function open() {
    const opened = new EventSource(`${url}?last_event_id=${encodeURIComponent(cursor)}`);
    source = opened;

    function on(name, handle) {
      opened.addEventListener(name, (event) => {
        if (source !== opened) return;
        heard();
        const data = JSON.parse(event.data);
        // `lastEventId` stays what it was for an event without an id of its own.
        if (event.lastEventId) cursor = event.lastEventId;
        handle(data, event.lastEventId);
      });
    }

    for (const name of eventNames) on(name, (data, id) => onEvent({ name, id, data }));
    on("ready", (data) => {
      liveSince = Date.now();
      heard();
      report({ status: "live" });
      onReady(data);
    });
    on("heartbeat", () => {});
    on("reset", startOver);
    on("closing", close);
    opened.addEventListener("error", () => {
      if (source !== opened) return;
      if (opened.readyState === EventSource.CLOSED) refused();
      else wait();
    });
    heard();
  }

  function heard() {
    heardAt = Date.now();
    clearTimeout(silenceTimer);
    if (liveSince === null) silenceTimer = setTimeout(wait, OPENING_MS);
    else silenceTimer = setTimeout(connect, SILENCE_MS);
    // The operating system said "offline", yet here is an event.
    if (liveSince !== null && status === "offline") report({ status: "live" });
  }

  function startOver() {
    cursor = null;
    attempt += 1;
    // A server that answers every snapshot's cursor with `reset` must not be asked in a tight loop.
    if (attempt > 1) wait();
    else void connect();
  }

  function close({ reason, reconnect }) {
    if (reason === "revoked" || reason === "expired") end(reason);
    else if (!reconnect) stop(reason);
    else wait({ reason });
  }

  async function refused() {
    release();
    const mine = generation;
    await probe().catch(() => {});
    if (mine === generation) wait();
  }

  function wait({ reason = null } = {}) {
    release();
    const longest = Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** attempt);
    const delay = longest * (0.5 + random() / 2);
    attempt += 1;
    report({ status: navigator.onLine ? "waiting" : "offline", reason, retryAt: Date.now() + delay });
    retryTimer = setTimeout(connect, delay);
    readiness.start();
  }

  /** End a wait; if the last try was a moment ago, after a breath. */
  function tryNow() {
    if (status !== "waiting" && status !== "offline") return;
    clearTimeout(retryTimer);
    retryTimer = setTimeout(connect, Math.max(0, triedAt + BREATH_MS - Date.now()));
  }

  function stop(reason) {
    release();
    report({ status: "stopped", reason });
  }

  function end(reason) {
    dispose();
    onEnded(reason);
  }

  /** Timers of a hidden tab, or of a machine asleep, run late. */
  function onVisible() {
    if (document.visibilityState !== "visible") return;
    const isOverdue = status === "live" && Date.now() - heardAt > SILENCE_MS;
    if (status === "waiting" || status === "offline" || isOverdue) void connect();
  }

  /** Even a stream that seems to live: it may belong to a network that is gone, and would be missed only by its silence. */
  function onOnline() {
    if (status !== "stopped") void connect();
  }

  function onOffline() {
    if (status !== "stopped") report({ status: "offline" });
  }

  function dispose() {
    release();
    readiness.dispose();
    window.removeEventListener("online", onOnline);
    window.removeEventListener("offline", onOffline);
    document.removeEventListener("visibilitychange", onVisible);
  }

  window.addEventListener("online", onOnline);
  window.addEventListener("offline", onOffline);
  document.addEventListener("visibilitychange", onVisible);

  return {
    /** Connect now, whatever it was waiting for. */
    reconnect: () => void connect(),
    /** The server has just answered a request. */
    heardServer: tryNow,
    /** End it; nothing is reported afterwards. */
    dispose,
  };
}
