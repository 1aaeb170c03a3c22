/**
 * Several workers as one tree: each is a branch, below which its actors have their own paths. Pure functions.
 *
 * With one worker nothing is added: its actors are at the top.
 */

/** Where the actors of a worker are found in the console, and how what was said of them is found again. */
export const branchOf = (worker) => `/${worker}`;

/** @returns `[worker, path]` as the server names them; worker is null where there is but one. */
export function splitBranch(path) {
  const [, worker, rest] = /^\/(\d+)(\/.*)?$/.exec(path) ?? [null, null, path];
  return [worker, rest ?? null];
}

/** What the tree shows for a worker. `facts` as in a `worker` event; null before anything was heard of it. */
export function workerNode(worker, facts) {
  return {
    path: branchOf(worker),
    kind: "worker",
    key: null,
    state: facts === null ? "connecting" : facts.answers ? "running" : "gone",
    is_worker: true,
    pid: facts?.pid ?? null,
    started_at: facts?.started_at ?? null,
    strategy: null,
    children_total: facts?.answers ? 1 : 0,
    collapsed: null,
    mailbox: null,
    current: null,
    is_essential: false,
    hindrance: null,
  };
}

/** Take in that a worker answers, or does not: what was known of its actors is forgotten. */
export function applyWorker(nodes, { worker, ...facts }) {
  const branch = branchOf(worker);
  const next = new Map([...nodes].filter(([path]) => !path.startsWith(`${branch}/`)));
  next.set(branch, workerNode(worker, facts));
  return next;
}

/** A delta of one worker's tree, with the paths that the console has for it. */
export function ofWorker({ worker, changed, removed }) {
  const branch = branchOf(worker);
  return {
    changed: changed.map((node) => ({ ...node, path: `${branch}${node.path}`, is_root: node.path.lastIndexOf("/") === 0 })),
    removed: removed.map((path) => `${branch}${path}`),
  };
}

/** One pulse out of the latest of each worker: the worst of the loops, and the sum of what is counted. */
export function combined(pulses) {
  const worst = (name) => Math.max(...pulses.map((pulse) => pulse[name]));
  const sum = (name) => pulses.reduce((total, pulse) => total + pulse[name], 0);
  return {
    ...Object.fromEntries(["lag_ms_p99", "longest_turn_ms", "busy_share"].map((name) => [name, worst(name)])),
    ...Object.fromEntries(["actors", "streams", "restarts", "dead_letters", "wedged"].map((name) => [name, sum(name)])),
  };
}

const RANKS = {
  depth: (node) => node.mailbox?.depth ?? 0,
  oldest: (node) => node.mailbox?.oldest_ms ?? 0,
  busy: (node) => node.busy_share,
  restarts: (node) => node.restarts,
  failed: (node) => node.failed,
  handled: (node) => node.handled,
  idle: (node) => node.idle_ms,
  bytes: (node) => node.mailbox?.bytes ?? 0,
};

/** Lists of actors that stand out, each ranked by its worker, as one. */
export function rankedTogether(lists, sort, limit) {
  const rank = RANKS[sort];
  return lists.flat().sort((a, b) => rank(b) - rank(a)).slice(0, limit);
}
