/** Signals while the screen is up. Handlers that were there before wait outside until it is down again. */

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export interface SignalHandler {
  /** Asked to end. */
  end(): void;
  /** Asked to stop (Ctrl-Z from outside). */
  stop(): void;
  /** Running again after a stop that nobody announced. */
  resumed(): void;
  /** A bug: nothing else catches it now. */
  crashed(error: unknown): void;
}

type Listener = (...args: unknown[]) => void;

/** Take over signals and uncaught errors; returns what gives them back. */
export function watchSignals(handler: SignalHandler): { readonly release: () => void; readonly stopSelf: () => void } {
  const crash = (error: unknown): void => handler.crashed(error);
  const end = (): void => handler.end();
  const stop = (): void => handler.stop();
  const resumed = (): void => handler.resumed();
  const mine: readonly (readonly [string, Listener])[] = [
    ...ENDING.map((signal) => [signal, end] as const), ['SIGTSTP', stop], ['SIGCONT', resumed], ['uncaughtException', crash], ['unhandledRejection', crash],
  ];
  // A handler outside would print into the screen, or end the process before the terminal is restored.
  const events = process as unknown as { listeners(name: string): Listener[]; removeListener(name: string, l: Listener): void; on(name: string, l: Listener): void };
  const others = mine.map(([name]) => [name, events.listeners(name)] as const);
  for (const [name, listeners] of others) for (const listener of listeners) events.removeListener(name, listener);
  for (const [name, listener] of mine) events.on(name, listener);
  return {
    release: () => {
      for (const [name, listeners] of others) for (const listener of listeners) events.on(name, listener);
      for (const [name, listener] of mine) events.removeListener(name, listener);
    },
    // The kernel ignores a stop where no shell could ever continue us (kubectl exec); SIGSTOP would hang there.
    stopSelf: () => {
      events.removeListener('SIGTSTP', stop);
      events.removeListener('SIGCONT', resumed);
      process.kill(0, 'SIGTSTP');
      events.on('SIGTSTP', stop);
      events.on('SIGCONT', resumed);
    },
  };
}
