/**
 * What shall outlive its tab: records of one kind and one user in `localStorage`, bounded in number and age.
 *
 * Each record has an entry of its own, so that two tabs never overwrite what the other keeps. What the browser refuses to
 * keep (its storage may be full, or switched off) lives as long as its tab.
 */

const PREFIX = "greenroom.kept";
/** Records of longer ago are let go, by whom they ever were. Who comes back after a month has moved on. */
const AGE_MAX_MS = 30 * 24 * 3_600_000;

/**
 * @param kind of record, a word.
 * @param owner id of whose they are.
 * @param countMax beyond it the oldest are let go.
 */
export function createShelf({ kind, owner, countMax, storage = localStorage, now = Date.now }) {
  const prefix = `${PREFIX}.${kind}.${owner}.`;

  const names = () => Object.keys(storage).filter((name) => name.startsWith(prefix));

  /** `[id, record, at]`, oldest first; also holds the bounds. */
  function entries() {
    letGoOfOld({ storage, now });
    const found = names().map((name) => {
      const { record, at } = read(storage.getItem(name));
      return [name.slice(prefix.length), record, at];
    });
    found.sort(([, , a], [, , b]) => a - b);
    for (const [id] of found.splice(0, found.length - countMax)) remove(id);
    return found;
  }

  const remove = (id) => storage.removeItem(prefix + id);

  return {
    entries,

    get: (id) => read(storage.getItem(prefix + id))?.record ?? null,

    /** @param at when it came to be, in ms: putting it away again does not make it younger. */
    put(id, record, at = now()) {
      const isNew = storage.getItem(prefix + id) === null;
      try {
        storage.setItem(prefix + id, JSON.stringify({ at, record }));
        if (isNew) entries();
      } catch {
        // Full, or switched off. What was kept of it is out of date.
        remove(id);
      }
    },

    remove,

    clear() {
      for (const name of names()) storage.removeItem(name);
    },

    /** Call `listener(id)` when another tab removes a record. */
    onRemoved(listener) {
      const onStorage = ({ key, newValue }) => {
        if (newValue === null && key?.startsWith(prefix)) listener(key.slice(prefix.length));
      };
      window.addEventListener("storage", onStorage);
      return () => window.removeEventListener("storage", onStorage);
    },
  };
}

/** Let go of what is too old, or not to be read, whosever it is. */
export function letGoOfOld({ storage = localStorage, now = Date.now } = {}) {
  for (const name of Object.keys(storage).filter((key) => key.startsWith(`${PREFIX}.`))) {
    const entry = read(storage.getItem(name));
    if (!entry || now() - entry.at >= AGE_MAX_MS) storage.removeItem(name);
  }
}

function read(text) {
  try {
    const { at, record } = JSON.parse(text);
    return Number.isFinite(at) && record !== undefined ? { at, record } : null;
  } catch {
    return null;
  }
}
