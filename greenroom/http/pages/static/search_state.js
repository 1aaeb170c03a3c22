/**
 * The part of the state that searching is, and how it changes; see `store.js`.
 *
 * An answer stays on show, dimmed, while the next one is on its way: nothing jumps.
 */

export const NO_SEARCH = Object.freeze({
  asked: null, // { text, city } as the address says while the search is open; an empty text for its start
  near: null, // { lat, lng }, if the person wants what is near them
  cities: [], // { id, name }
  status: "idle", // idle | asking | waiting | answered | failed
  waitS: 0, // while it waits: for how long before it is asked again
  answer: null, // { of, results, meta, cursor }: the last one; `of` is what it answers, every result has its `queryId`
  problem: null, // why there is none, in words
  isExtending: false, // the next page is on its way
});

/** What makes two searches the same. */
export const searchKey = ({ text, city }, near) => JSON.stringify([text, city, near]);

const change = (state, part) => ({ ...state, search: { ...state.search, ...part } });

export const SEARCH_ACTIONS = {
  /** The address names a search, or with `asked` null none any more. */
  search_opened(state, { asked }) {
    const { answer, near } = state.search;
    if (asked === null) return state.search.asked === null ? state : change(state, { asked: null, isExtending: false });
    const isAnswered = answer?.of === searchKey(asked, near);
    const status = isAnswered ? "answered" : asked.text ? "asking" : "idle";
    return change(state, { asked, status, problem: null, isExtending: false });
  },

  search_asked: (state) => change(state, { status: "asking", problem: null, isExtending: false }),

  search_answered: (state, { answer }) => change(state, { status: "answered", answer, problem: null }),

  search_delayed: (state, { waitS }) => change(state, { status: "waiting", waitS }),

  search_failed: (state, { problem }) => change(state, { status: "failed", problem, isExtending: false }),

  search_extending: (state) => change(state, { isExtending: true, problem: null }),

  /** The next page. What a change of the catalogue put on both pages is shown once. */
  search_extended(state, { of, results, cursor }) {
    const { answer } = state.search;
    if (answer?.of !== of) return state;
    const known = new Set(answer.results.map(({ service_id }) => service_id));
    const more = results.filter(({ service_id }) => !known.has(service_id));
    return change(state, { isExtending: false, answer: { ...answer, results: [...answer.results, ...more], cursor } });
  },

  search_not_extended: (state, { problem }) => change(state, { isExtending: false, problem }),

  near_chosen: (state, { near }) => change(state, { near }),

  cities_told: (state, { cities }) => change(state, { cities }),
};
