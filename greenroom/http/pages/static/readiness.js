/** Noticing that a server which was away is ready again, soon, for somebody who is looking. */

const URL = "/health/ready";
const INTERVAL_MS = 1_000;
/** As long as the server itself takes to decide, and a little. */
const TIMEOUT_MS = 3_000;
/** Who has touched nothing for this long may wait for the stream's own next try. */
const IDLE_MS = 5 * 60_000;
const USES = ["pointerdown", "keydown", "focus"];

/**
 * Between `start` and `stop` it asks, while the tab is in use, and calls `onReady` when the server turns from away to ready.
 *
 * That it was seen away is needed, and used up by the call: a server that is ready and yet refuses a stream must not be
 * asked for one each second. Asking costs it next to nothing.
 */
export function createReadinessWatch({ onReady, random = Math.random }) {
  let wasAway = false;
  let usedAt = Date.now();
  let timer = null;
  let generation = 0;

  const isInUse = () => document.visibilityState === "visible" && Date.now() - usedAt < IDLE_MS;

  function start() {
    stop();
    void ask(generation);
  }

  function stop() {
    generation += 1;
    clearTimeout(timer);
  }

  async function ask(mine) {
    if (isInUse()) {
      const isReady = await fetch(URL, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
        ({ status }) => status === 200,
        () => false,
      );
      if (mine !== generation) return;
      if (isReady && wasAway) {
        wasAway = false;
        onReady();
        return;
      }
      wasAway ||= !isReady;
    }
    timer = setTimeout(() => void ask(mine), INTERVAL_MS * (0.75 + random() / 2));
  }

  function onUse() {
    usedAt = Date.now();
  }

  for (const name of USES) window.addEventListener(name, onUse, { capture: true, passive: true });

  return {
    start,
    stop,
    dispose() {
      stop();
      for (const name of USES) window.removeEventListener(name, onUse, { capture: true });
    },
  };
}
