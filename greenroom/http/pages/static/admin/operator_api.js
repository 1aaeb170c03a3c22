/** The operators' routes: one function per request, and failures as `ApiError`, in words. */

import { ApiError, failureOf } from "../api.js";
import { headersOf } from "./credentials.js";
import { branchOf, rankedTogether, splitBranch } from "./workers.js";

/** An action may take fifteen seconds: an actor has five to stop and five to start. */
const TIMEOUT_MS = 20_000;

/**
 * @param credentials as kept; null for signing in.
 * @param onUnauthorized called when they turn out not to be good (any more), before the failure is thrown.
 */
export function createOperatorApi({ credentials, onUnauthorized }) {
  /** The names of the workers there are; none where there is but one, who need not be named. */
  let workers = [];

  /** @param isOurs whether a refusal means that the credentials are not good, and not only for this. */
  async function request(method, path, body, { isOurs = true } = {}) {
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
    if (credentials && isOurs && (response.status === 401 || response.status === 403)) onUnauthorized(error);
    throw error;
  }

  const get = (path, parameters = {}) => request("GET", `${path}?${query(parameters)}`);

  /** The address of one actor, by its path in the console. */
  function actor(path, action = "") {
    const [worker, own] = splitBranch(path);
    return `/admin/actors${own.split("/").map(encodeURIComponent).join("/")}${action}${worker ? `?worker=${worker}` : ""}`;
  }

  /**
   * Ask every worker, and make one of their answers; who does not answer is left out, unless nobody does.
   *
   * @param merge given `[worker, answer]` for each; the worker is null where there is but one.
   */
  async function everybody(path, parameters, merge) {
    if (workers.length === 0) return merge([[null, await get(path, parameters)]]);
    const settled = await Promise.allSettled(workers.map((worker) => get(path, { ...parameters, worker })));
    const answers = settled.map(({ value }, index) => [workers[index], value]).filter(([, answer]) => answer);
    if (answers.length === 0) throw settled[0].reason;
    return merge(answers);
  }

  const placed = (worker, node) => (worker ? { ...node, path: `${branchOf(worker)}${node.path}` } : node);

  return {
    logIn: (fields) => request("POST", "/auth/login", fields),
    /** Null where no widget is shown. */
    captcha: () => request("GET", "/auth/captcha"),
    logOut: () => request("POST", "/auth/logout"),
    probe: () => get("/admin/actors", { depth: 0 }),
    workers: () => get("/admin/workers"),
    /** @param names of the workers that are asked from now on; none where there is but one. */
    ask(names) {
      workers = names;
    },
    top: (parameters) =>
      everybody("/admin/actors/top", parameters, (answers) => {
        const lists = answers.map(([worker, { actors }]) => actors.map((node) => placed(worker, node)));
        return { actors: rankedTogether(lists, parameters.sort, parameters.limit) };
      }),
    actor: (path) => request("GET", actor(path)),
    act: (path, action, reason) => request("POST", actor(path, `/${action}`), reason ? { reason } : {}),
    calls: () =>
      everybody("/admin/calls", { limit: 50 }, (answers) => ({
        calls: answers
          .flatMap(([worker, { calls }]) => calls.map((call) => placed(worker, call)))
          .sort((a, b) => b.current.for_ms - a.current.for_ms),
      })),
    deadLetters: (parameters) =>
      everybody("/admin/dead-letters", parameters, (answers) => {
        const counts = {};
        for (const [, letters] of answers)
          for (const [reason, count] of Object.entries(letters.counts)) counts[reason] = (counts[reason] ?? 0) + count;
        return {
          total: answers.reduce((sum, [, letters]) => sum + letters.total, 0),
          counts,
          items: answers
            .flatMap(([worker, { items }]) => items.map((letter) => placed(worker, letter)))
            .sort((a, b) => b.at.localeCompare(a.at))
            .slice(0, parameters.limit),
        };
      }),
    loop: (worker) => get("/admin/loop", { worker }),
    probeSteps: (seconds, worker) => request("POST", `/admin/loop/steps?${query({ worker })}`, { for_s: seconds }),
    outbox: (parameters) => get("/admin/outbox", parameters),
    job: (id) => get(`/admin/outbox/${encodeURIComponent(id)}`),
    retryJob: (id, reason) => request("POST", `/admin/outbox/${encodeURIComponent(id)}/retry`, reason ? { reason } : {}),
    /** A search of the operator's own, with all there is to know of it; `given` are its parameters. */
    search: (given) => request("GET", `/search?${query({ ...given, debug: true })}`, undefined, { isOurs: false }),
    /** The places that a name may be, and the cities there are: for who operates with an account, as these are anybody's. */
    regions: async (name) => (await request("GET", `/regions?${query({ name })}`, undefined, { isOurs: false })).items,
    cities: async () => (await request("GET", "/cities", undefined, { isOurs: false })).items,
    searchConfig: () => get("/admin/search-config"),
    changeSearchConfig: (changes) => request("PUT", "/admin/search-config", changes),
    searches: (parameters) => get("/admin/search/queries", parameters),
    searchById: (id) => get(`/admin/search/queries/${encodeURIComponent(id)}`),
    /** `what` is `summary`, `popular`, `zero-results`, `latency`, `degradation`, `click-through` or `tiers`. */
    searchFigures: (what, parameters) => get(`/analytics/search/${what}`, parameters),
    aliases: (parameters) => get("/admin/location-aliases", parameters),
    /** `action` is `approve` or `revoke`. */
    decideAlias: (alias) => request("POST", "/admin/location-aliases", alias),
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
