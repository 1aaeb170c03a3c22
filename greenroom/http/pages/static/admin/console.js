/**
 * Everything an operator sees once signed in: what is on top on every page, and the pages, of which one is live at a time.
 *
 * The stream feeds what is always shown; a page that is not looked at asks the server for nothing.
 */

import { el, setText } from "../dom.js";
import { createOperatorApi } from "./operator_api.js";
import { openOperatorStream } from "./operator_stream.js";
import { applyDelta } from "./tree.js";
import { applyWorker, branchOf, combined, ofWorker, workerNode } from "./workers.js";
import { createConnection } from "./views/connection.js";
import { createOverview } from "./views/overview.js";
import { createActors } from "./views/actors.js";
import { createCalls } from "./views/calls.js";
import { createLoop } from "./views/loop.js";
import { createDeadLetters } from "./views/dead_letters.js";
import { createOutbox } from "./views/outbox.js";
import { createSearch } from "./views/search.js";
import { createAudit } from "./views/audit.js";
import { speechIcon, logOutIcon } from "../icons.js";

const STREAM = "/api/v1/admin/actors/stream?depth=6&children_max=50";
const PULSES_MAX = 60;
const EVENTS_MAX = 50;
const PAGES = [
  ["actors", "Actors"],
  ["calls", "Calls"],
  ["loop", "Event loop"],
  ["dead-letters", "Dead letters"],
  ["outbox", "Outbox"],
  ["search", "Search"],
  ["audit", "Audit"],
];

export function createConsole({ credentials, onSignOut, onRefused }) {
  const api = createOperatorApi({ credentials, onUnauthorized: onRefused });
  const announcer = document.getElementById("announcer");
  let state = { workers: [], nodes: new Map(), pulses: [], events: [], connection: { status: "connecting" } };
  let isFirstDelta = true;
  const latestPulses = new Map();
  let page = null;
  let openName = null;
  const chosenOfSearch = {};

  const connection = createConnection({ reconnect: () => stream.reconnect() });
  const overview = createOverview();
  const makers = {
    actors: () => createActors({ api, announce, getState: () => state }),
    calls: () => createCalls({ api }),
    loop: () => createLoop({ api, getState: () => state }),
    "dead-letters": () => createDeadLetters({ api }),
    outbox: () => createOutbox({ api, announce }),
    search: () => createSearch({ api, announce, credentials, chosen: chosenOfSearch }),
    audit: () => createAudit({ api }),
  };
  const tabs = PAGES.map(([name, label]) => el("a", { class: "tab", href: `#/${name}` }, label));
  const main = el("main", { class: "page" });
  const element = el(
    "div",
    { class: "operations" },
    el(
      "header",
      { class: "top" },
      el("span", { class: "brand-mark small" }, speechIcon()),
      el("h1", { class: "wordmark small" }, "greenroom", el("span", { class: "wordmark-part" }, " operations")),
      connection.badge,
      el("span", { class: "spacer" }),
      el("span", { class: "who" }, credentials.name),
      el(
        "button",
        { class: "icon-button", type: "button", title: "Sign out", "aria-label": "Sign out", on: { click: onSignOut } },
        logOutIcon(),
      ),
    ),
    connection.banner,
    overview.alarm,
    overview.element,
    el("nav", { class: "tabs", "aria-label": "Pages" }, ...tabs),
    main,
  );

  function announce(words) {
    setText(announcer, words);
  }

  function openPage() {
    const [wanted, ...path] = location.hash.replace(/^#\//, "").split("?")[0].split("/");
    const name = makers[wanted] ? wanted : "actors";
    const shown = path.length > 0 ? `/${path.map(decoded).join("/")}` : null;
    if (page && name === openName) return page.goTo?.(shown);
    openName = name;
    page?.close?.();
    page = makers[name]();
    main.replaceChildren(page.element);
    for (const tab of tabs) {
      if (tab.hash === `#/${name}`) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    page.update?.(state);
    page.goTo?.(shown);
  }

  function change(part) {
    state = { ...state, ...part };
    overview.update(state);
    connection.update(state.connection);
    page.update?.(state);
  }

  /** One worker's stream is followed as it is; of several, that of all of them, in which every event names its worker. */
  async function findStream() {
    const { workers } = await api.workers();
    const names = workers.length > 1 ? workers.map((worker) => worker.name) : [];
    api.ask(names);
    change({ workers: names });
    return names.length > 0 ? `${STREAM}&worker=all` : STREAM;
  }

  function onEvent(name, data) {
    if (name === "open") {
      isFirstDelta = true;
      latestPulses.clear();
      if (state.workers.length > 0)
        change({ nodes: new Map(state.workers.map((worker) => [branchOf(worker), workerNode(worker, null)])) });
    } else if (name === "worker") {
      latestPulses.delete(data.worker);
      change({ nodes: applyWorker(state.nodes, data) });
    } else if (data?.worker) {
      onEventOfWorker(name, data);
    } else if (name === "tree") {
      change({ nodes: applyDelta(state.nodes, data, { isFirst: isFirstDelta, now: Date.now() }) });
      isFirstDelta = false;
    } else if (name === "pulse") {
      change({ pulses: [...state.pulses, data].slice(-PULSES_MAX) });
    } else if (name.startsWith("actor.") || name.startsWith("supervisor.") || name === "lagged") {
      change({ events: [{ name, ...data }, ...state.events].slice(0, EVENTS_MAX) });
    }
  }

  function onEventOfWorker(name, data) {
    if (name === "tree") {
      change({ nodes: applyDelta(state.nodes, ofWorker(data), { isFirst: false, now: Date.now() }) });
    } else if (name === "pulse") {
      latestPulses.set(data.worker, data);
      // One a second, though each worker sends its own.
      if (latestPulses.keys().next().value === data.worker)
        change({ pulses: [...state.pulses, combined([...latestPulses.values()])].slice(-PULSES_MAX) });
    } else if (name !== "heartbeat") {
      const { worker, ...rest } = data;
      onEvent(name, rest.path ? { ...rest, path: `${branchOf(worker)}${rest.path}` } : rest);
    }
  }

  addEventListener("hashchange", openPage);
  const stream = openOperatorStream({
    findUrl: findStream,
    credentials,
    onEvent: (...event) => page && onEvent(...event),
    onStatus: (status) => page && change({ connection: status }),
    onRefused,
  });
  openPage();
  overview.update(state);

  return {
    element,
    close() {
      stream.close();
      page?.close?.();
      connection.close();
      removeEventListener("hashchange", openPage);
    },
  };
}

/** A segment of a path as it was before it became part of an address; as it is if somebody wrote nonsense there. */
function decoded(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
