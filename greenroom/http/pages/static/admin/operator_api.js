/** The operators' routes: one function per request, and failures as `ApiError`, in words. */

import { ApiError, failureOf } from "../api.js";
import { headersOf } from "./credentials.js";

/** An action may take fifteen seconds: an actor has five to stop and five to start. */
const TIMEOUT_MS = 20_000;

/**
 * @param credentials as kept; null for signing in.
 * @param onUnauthorized called when they turn out not to be good (any more), before the failure is thrown.
 */
export function createOperatorApi({ credentials, onUnauthorized }) {
  async function request(method, path, body) {
    let response;
    try {
      response = await fetch(`/api/v1${path}`, {
        method,
        headers: {
          Accept: "application/json",
          ...(credentials ? headersOf(credentials) : {}),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (cause) {
      const words = cause.name === "TimeoutError" ? "The server took too long to answer." : "The server can't be reached.";
      throw new ApiError(words, { status: 0 });
    }
    if (response.ok) return response.status === 204 ? null : readJson(response);
    const error = await failureOf(response);
    if (credentials && (response.status === 401 || response.status === 403)) onUnauthorized(error);
    throw error;
  }

  const get = (path, parameters = {}) => request("GET", `${path}?${query(parameters)}`);
  const actor = (path) => `/admin/actors${path.split("/").map(encodeURIComponent).join("/")}`;

  return {
    logIn: (email, password) => request("POST", "/auth/login", { email, password }),
    logOut: () => request("POST", "/auth/logout"),
    probe: () => get("/admin/actors", { depth: 0 }),
    top: (parameters) => get("/admin/actors/top", parameters),
    actor: (path) => get(actor(path)),
    act: (path, action, reason) => request("POST", `${actor(path)}/${action}`, reason ? { reason } : {}),
    calls: () => get("/admin/calls", { limit: 50 }),
    deadLetters: (parameters) => get("/admin/dead-letters", parameters),
    loop: () => get("/admin/loop"),
    probeSteps: (seconds) => request("POST", "/admin/loop/steps", { for_s: seconds }),
    outbox: (parameters) => get("/admin/outbox", parameters),
    job: (id) => get(`/admin/outbox/${encodeURIComponent(id)}`),
    retryJob: (id, reason) => request("POST", `/admin/outbox/${encodeURIComponent(id)}/retry`, reason ? { reason } : {}),
    audit: (parameters) => get("/admin/audit", parameters),
  };
}

async function readJson(response) {
  try {
    return await response.json();
  } catch {
    throw new ApiError("The server's answer could not be read.", { status: 0 });
  }
}

function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return new URLSearchParams(given).toString();
}
