/**
 * The operators' stream, read with fetch: an EventSource can't send the header that says who is asking.
 *
 * Comes back by itself, later and later up to half a minute; a server that says nothing for longer than its heartbeat is
 * taken for gone.
 */

import { failureOf } from "../api.js";
import { headersOf } from "./credentials.js";

const SILENCE_MS = 10_000;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 30_000;

/**
 * @param findUrl resolves to where the stream is; asked before every connection.
 * @param onEvent `(name, data)` for each event; `open` with null comes first on every connection.
 * @param onStatus `{status: "connecting" | "live" | "waiting", retryAt, reason}`
 * @param onRefused the credentials are not good: `(ApiError)`. The stream has ended for good.
 */
export function openOperatorStream({ findUrl, credentials, onEvent, onStatus, onRefused }) {
  let abort = null;
  let retryTimer = null;
  let silenceTimer = null;
  let failures = 0;
  let isOver = false;
  let reason = null;

  async function connect() {
    clearTimeout(retryTimer);
    abort = new AbortController();
    const mine = abort;
    onStatus({ status: "connecting", reason });
    try {
      listenForSilence();
      const url = await findUrl();
      if (mine !== abort || isOver) return;
      const response = await fetch(url, {
        headers: { Accept: "text/event-stream", ...headersOf(credentials) },
        credentials: "omit",
        cache: "no-store",
        signal: mine.signal,
      });
      if (response.status === 401 || response.status === 403) return refuse(await failureOf(response));
      if (!response.ok || !response.body) throw await failureOf(response);
      onEvent("open", null);
      await read(response.body);
    } catch (error) {
      if (mine !== abort || isOver) return;
      reason = error.status ? error.message : null;
    } finally {
      if (mine === abort) clearTimeout(silenceTimer);
    }
    if (mine === abort && !isOver) wait();
  }

  async function read(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    const parse = eventParser((name, data) => {
      failures = 0;
      reason = null;
      if (name === "closing") {
        if (data.reason === "draining") reason = "The server is restarting.";
        if (data.reconnect === false) refuse(null);
        return;
      }
      onStatus({ status: "live", reason: null });
      onEvent(name, data);
    });
    while (true) {
      const { value, done } = await reader.read();
      if (done) return;
      listenForSilence();
      parse(value);
    }
  }

  function listenForSilence() {
    clearTimeout(silenceTimer);
    silenceTimer = setTimeout(() => abort?.abort(), SILENCE_MS);
  }

  function wait() {
    const backoff = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** failures);
    failures += 1;
    const delay = backoff * (0.5 + Math.random() / 2);
    onStatus({ status: "waiting", reason, retryAt: Date.now() + delay });
    retryTimer = setTimeout(connect, delay);
  }

  function refuse(error) {
    close();
    onRefused(error);
  }

  function close() {
    isOver = true;
    clearTimeout(retryTimer);
    clearTimeout(silenceTimer);
    abort?.abort();
  }

  connect();
  return {
    close,
    reconnect() {
      if (isOver) return;
      failures = 0;
      abort?.abort();
      connect();
    },
  };
}

/** Make a function that is fed pieces of text and calls `emit(name, data)` for each whole event in them. */
export function eventParser(emit) {
  let rest = "";
  return (piece) => {
    const blocks = (rest + piece).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      let name = "message";
      const data = [];
      for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) name = line.slice(7);
        else if (line.startsWith("data: ")) data.push(line.slice(6));
      }
      if (data.length > 0) emit(name, JSON.parse(data.join("\n")));
    }
  };
}
