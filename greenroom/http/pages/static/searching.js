/** Asking for lessons in one's own words. It changes the state by actions only. */

import { ApiError } from "./api.js";
import { searchKey } from "./search_state.js";

const PAGE = 20;
/** Answers kept, so that going back to one is instant. */
const KEPT_MAX = 10;
/** Older than this an answer is asked for anew: lessons are booked, prices change. */
const KEPT_MS = 120_000;
/** A server that is busy says when to come back; nobody waits for longer in front of a page. */
const WAIT_MAX_S = 10;

/** @param api `{ search, searchClicked, cities }` */
export function createSearching({ api, store }) {
  const dispatch = (action) => store.dispatch(action);
  const kept = new Map(); // key → { answer, at }, latest last
  let latest = 0; // number of the last search: what answers an earlier one is dropped
  let retrying = null;
  let areCitiesKnown = false;

  /** Follow the address to a search, or with null away from it. */
  function open(asked) {
    dispatch({ type: "search_opened", asked });
    if (asked === null) return;
    if (!areCitiesKnown) void readCities();
    if (store.state.search.status === "asking") void ask();
  }

  async function ask(isRetry = false) {
    const { asked, near } = store.state.search;
    clearTimeout(retrying);
    const number = (latest += 1);
    const of = searchKey(asked, near);
    const known = kept.get(of);
    if (known && Date.now() - known.at < KEPT_MS) {
      dispatch({ type: "search_answered", answer: known.answer });
      return;
    }
    dispatch({ type: "search_asked" });
    try {
      const page = await api.search({ ...asked, near, limit: PAGE });
      const answer = { of, results: resultsOf(page), meta: page.meta, cursor: page.next_cursor };
      // What was answered in a hurry may be answered better the next time.
      if (!answer.meta.budget.degraded) keep(of, answer);
      if (number === latest) dispatch({ type: "search_answered", answer });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (number === latest) failed(error, isRetry, number);
    }
  }

  /** A server that is busy is asked once more when it said so; whatever else went wrong is told. */
  function failed(error, isRetry, number) {
    if (error.status !== 503 || error.retryAfterS === null || isRetry) {
      dispatch({ type: "search_failed", problem: error.message });
      return;
    }
    const waitS = Math.min(error.retryAfterS, WAIT_MAX_S);
    dispatch({ type: "search_delayed", waitS });
    retrying = setTimeout(() => number === latest && store.state.search.asked && void ask(true), waitS * 1_000);
  }

  function keep(of, answer) {
    kept.delete(of);
    kept.set(of, { answer, at: Date.now() });
    if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value);
  }

  async function readCities() {
    areCitiesKnown = true;
    try {
      dispatch({ type: "cities_told", cities: (await api.cities()).items });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      areCitiesKnown = false; // the next search asks again; until then one does without the choice
    }
  }

  return {
    open,
    again: () => void ask(),

    async more() {
      const { asked, near, answer, isExtending } = store.state.search;
      if (isExtending || !answer?.cursor) return;
      dispatch({ type: "search_extending" });
      try {
        const page = await api.search({ ...asked, near, limit: PAGE, cursor: answer.cursor });
        dispatch({ type: "search_extended", of: answer.of, results: resultsOf(page), cursor: page.next_cursor });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        dispatch({ type: "search_not_extended", problem: error.message });
      }
    },

    /** @param near `{ lat, lng }`, or null for wherever the sentence says. */
    lookNear(near) {
      dispatch({ type: "near_chosen", near });
      if (store.state.search.asked?.text) void ask();
    },

    /** Tell which result was of use; nobody waits for that, and nothing is lost without it. */
    clicked(result) {
      const position = store.state.search.answer.results.indexOf(result);
      void api.searchClicked(result.queryId, { service_id: result.service_id, position }).catch(ignoreFailure);
    },
  };
}

/** Every page is a search of its own to the server, and what was opened belongs to the one that showed it. */
const resultsOf = (page) => page.results.map((result) => ({ ...result, queryId: page.query_id }));

function ignoreFailure(error) {
  if (!(error instanceof ApiError)) throw error;
}
