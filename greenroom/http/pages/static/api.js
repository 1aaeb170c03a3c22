/**
 * The REST interface: one function per request the page makes, and failures as `ApiError`, in words.
 *
 * The session travels in an HttpOnly cookie that this code can't read; every request is same-origin.
 */

/** Longer than any answer of a healthy server, shorter than a person's patience. */
const TIMEOUT_MS = 15_000;

/** Answered to a repetition that was faster than the answer to the first. */
const IN_PROGRESS = "request_in_progress";

/** A request that did not succeed. `message` is a sentence for a person; `status` is 0 if no answer came, or
 * none that could be read; `faults` are `{ field, path, words }`, one for each value that was refused. */
export class ApiError extends Error {
  constructor(message, { status, code = "", retryAfterS = null, faults = [] }) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
    this.faults = faults;
  }

  /** The same request may succeed later: nothing about it was refused. */
  get isTransient() {
    const { status, code } = this;
    return status === 0 || status === 408 || status === 429 || status >= 500 || code === IN_PROGRESS;
  }
}

/**
 * @param onUnauthorized called when the session turns out to be over, before the failure is thrown.
 * @param onAnswer called after a request that succeeded: the server is there.
 */
export function createApi({ onUnauthorized, onAnswer }) {
  async function request(method, path, body, headers = {}) {
    const response = await answer(method, path, body, headers);
    if (response.ok) {
      const content = response.status === 204 ? null : await readJson(response);
      onAnswer();
      return content;
    }
    const error = await failureOf(response);
    if (response.status === 401 && error.code !== "invalid_credentials") onUnauthorized();
    throw error;
  }

  const get = (path) => request("GET", path);
  const post = (path, body) => request("POST", path, body);
  /** Carried out once, however often it is sent with this key. */
  const postOnce = (path, key, body) => request("POST", path, body, { "Idempotency-Key": key });
  const conversation = (id) => `/conversations/${encodeURIComponent(id)}`;
  const message = (id) => `/messages/${encodeURIComponent(id)}`;
  const booking = (id) => `/bookings/${encodeURIComponent(id)}`;

  return {
    register: (account) => post("/auth/register", account),
    logIn: (credentials) => post("/auth/login", credentials),
    /** Null where no widget is shown. */
    captcha: () => get("/auth/captcha"),
    logOut: () => post("/auth/logout"),
    me: () => get("/auth/me"),
    sync: () => get("/sync"),
    /** `name` is a part of the name. */
    instructors: ({ limit, cursor = null, name = null }) => get(`/instructors?${query({ limit, cursor, name })}`),
    instructor: (id) => get(`/instructors/${encodeURIComponent(id)}`),
    /** All that one offers, in the place of what one offered before. */
    offer: (everything) => request("PUT", "/instructors/me", everything),
    categories: async () => (await get("/categories")).items,
    regions: async (name) => (await get(`/regions?${query({ name })}`)).items,
    conversations: ({ state, limit, cursor = null }) => get(`/conversations?${query({ state, limit, cursor })}`),
    conversation: (id) => get(conversation(id)),
    /** `near` is `{ lat, lng }`; all but `text` and `limit` may be null. */
    search: ({ text, city, near, limit, cursor = null }) =>
      get(`/search?${query({ q: text, city, lat: near?.lat ?? null, lng: near?.lng ?? null, limit, cursor })}`),
    /** `position` counts from 0. */
    searchClicked: (queryId, clicked) => post(`/search/${encodeURIComponent(queryId)}/click`, clicked),
    cities: () => get("/cities"),
    openConversation: (participantId, message) =>
      post("/conversations", { participant_id: participantId, message }),
    setState: (id, state) => request("PATCH", conversation(id), { state }),
    messages: (id, { before = null, limit }) => get(`${conversation(id)}/messages?${query({ before, limit })}`),
    /** The message with this `seq`. */
    messageAt: async (id, seq) =>
      (await get(`${conversation(id)}/messages?${query({ after: seq - 1, limit: 1 })}`)).items[0],
    send: (id, { content, clientId, bookingId }) =>
      post(`${conversation(id)}/messages`, { content, client_id: clientId, booking_id: bookingId ?? undefined }),
    /** Refused with status 412 unless the message still has this version. */
    edit: (id, content, version) => request("PATCH", message(id), { content }, { "If-Match": `"${version}"` }),
    remove: (id) => request("DELETE", message(id)),
    versions: (id) => get(`${message(id)}/edits`),
    react: (id, emoji, isAdded) =>
      request(isAdded ? "PUT" : "DELETE", `${message(id)}/reactions/${encodeURIComponent(emoji)}`),
    markRead: (id, seq) => post(`${conversation(id)}/read`, { seq }),
    markDelivered: (id, seq) => post(`${conversation(id)}/delivered`, { seq }),
    setTyping: (id, isTyping) => post(`${conversation(id)}/typing`, { is_typing: isTyping }),
    /** `state` is `upcoming` (soonest first) or `past` (latest first). */
    bookings: ({ state, limit, cursor = null }) => get(`/bookings?${query({ state, limit, cursor })}`),
    booking: (id) => get(booking(id)),
    book: (key, order) => postOnce("/bookings", key, order),
    cancelBooking: (key, id, reason) => postOnce(`${booking(id)}/cancel`, key, reason ? { reason } : {}),
    moveBooking: (key, id, startsAt) => postOnce(`${booking(id)}/reschedule`, key, { starts_at: startsAt }),
    completeBooking: (key, id) => postOnce(`${booking(id)}/complete`, key),
  };
}

function query(parameters) {
  return new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null)).toString();
}

async function answer(method, path, body, extraHeaders) {
  const headers = { Accept: "application/json", ...extraHeaders };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    // fetch tells a refused connection, a lost one and a name that does not resolve apart only in its console.
    const message =
      cause.name === "TimeoutError"
        ? "The server took too long to answer."
        : "The server can't be reached right now.";
    throw new ApiError(message, { status: 0 });
  }
}

/** Read an answer that may end early, or come from something else than greenroom: a Wi-Fi's log-in page is a 200 too. */
async function readJson(response) {
  try {
    return await response.json();
  } catch {
    throw new ApiError("The server's answer could not be read.", { status: 0 });
  }
}

/** Put a problem document (RFC 9457) into words; a proxy's error page has none and gets ours. */
export async function failureOf(response) {
  const problem = await response.json().catch(() => ({}));
  const seconds = Number.parseFloat(response.headers.get("Retry-After"));
  const faults = (problem.errors ?? []).map(({ loc, msg }) => ({ field: fieldOf(loc), path: loc, words: msg }));
  return new ApiError(
    faults.map(faultInWords).join(" ") || problem.detail || problem.title || statusInWords(response.status),
    {
      status: response.status,
      code: problem.code,
      retryAfterS: Number.isFinite(seconds) ? seconds : null,
      faults,
    },
  );
}

/** The field a fault was found in, or null for one that lies in how fields go together. */
const fieldOf = (loc) => loc.findLast((part) => typeof part === "string" && part !== "body") ?? null;

function faultInWords({ field, words }) {
  const uncapitalised = words.charAt(0).toLowerCase() + words.slice(1);
  return asSentence(field ? `${field.replaceAll("_", " ")}: ${uncapitalised}` : uncapitalised);
}

/** Words for beside the field they are about. */
export function asSentence(words) {
  const sentence = capitalised(words);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

const capitalised = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function statusInWords(status) {
  if (status === 429) return "That was a little too fast. Please wait a moment.";
  if (status >= 500) return "The server has a problem. Please try again shortly.";
  return `The server refused this (status ${status}).`;
}
