/** Time, as the Kubernetes sources see it: one place to stand in for when minutes must pass at once. */

export interface Clock {
  /** Milliseconds since any fixed point; never goes back. */
  now(): number;
  /** Call once in `ms` milliseconds, unless the returned function is called before. Keeps no process alive. */
  after(ms: number, run: () => void): () => void;
  /** 0 up to 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** Resolves when the time is up, or at once when the signal is given. Never rejects. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = (): void => {
      stop();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const stop = clock.after(ms, finish);
    signal.addEventListener('abort', finish);
  });
}
