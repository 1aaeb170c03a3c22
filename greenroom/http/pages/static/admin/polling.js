/** Asking again and again while somebody looks: never two at a time, and not in a tab that is hidden. */

/**
 * @param ask returns a promise.
 * @param onFailure given the error of an ask that failed, and null after one that did not.
 * @returns {{now: () => void, close: () => void}}
 */
export function poll(everyMs, ask, onFailure) {
  let timer = null;
  let isOver = false;
  let isAsking = false;
  let isAskedAgain = false;

  async function once() {
    clearTimeout(timer);
    if (isAsking) isAskedAgain = true;
    if (isOver || isAsking) return;
    if (!document.hidden) {
      isAsking = true;
      try {
        await ask();
        if (!isOver) onFailure(null);
      } catch (error) {
        if (!isOver) onFailure(error);
      } finally {
        isAsking = false;
      }
    }
    const restMs = isAskedAgain ? 0 : everyMs;
    isAskedAgain = false;
    if (!isOver) timer = setTimeout(once, restMs);
  }

  once();
  return {
    now: once,
    close() {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
