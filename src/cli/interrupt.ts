/** Being asked to stop: SIGINT, SIGTERM, SIGHUP. */
import { Interrupted } from './errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface InterruptWatch {
  /** Call when one comes, at once if it came already. */
  onInterrupt(stop: () => void): void;
  /** `work`, or Interrupted as soon as a signal comes. */
  race<T>(work: Promise<T>): Promise<T>;
  /** Give the signals back. */
  end(): void;
}

/** Watch for the first signal; a second one ends the process the hard way, and the kernel frees what we hold. */
export function watchInterrupts(): InterruptWatch {
  const controller = new AbortController();
  const end = (): void => {
    for (const signal of SIGNALS) process.removeListener(signal, handle);
  };
  function handle(): void {
    end();
    controller.abort();
  }
  for (const signal of SIGNALS) process.on(signal, handle);
  const { signal } = controller;
  return {
    onInterrupt: (stop) => { if (signal.aborted) stop(); else signal.addEventListener('abort', stop, { once: true }); },
    race: (work) => new Promise((resolve, reject) => {
      const stop = (): void => reject(new Interrupted());
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    }),
    end,
  };
}
