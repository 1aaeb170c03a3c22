/** Keys by which the server knows a request that it was sent before. */

/**
 * Return `{ of, settle }`: `of(request)` is the same key for the same request until `settle()` says that it was answered, so
 * that trying again after a lost answer, or pressing twice, does nothing twice.
 */
export function createRepeatKey(newId = randomId) {
  let last = { request: null, key: null };
  return {
    of(value) {
      const request = JSON.stringify(value);
      if (last.request !== request) last = { request, key: newId() };
      return last.key;
    },
    settle() {
      last = { request: null, key: null };
    },
  };
}

/** 128 random bits. `crypto.randomUUID` does not exist on a page served over plain HTTP from another host. */
export function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}
