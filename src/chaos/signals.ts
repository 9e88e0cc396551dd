/** Signals by name, as x86 and arm number them; real-time signals are not offered. */
import { numberedNames } from '../frame/numbered-names.ts';

const NAMES = numberedNames(
  '@1 SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS',
);
const ALIASES: Readonly<Record<string, string>> = { SIGIOT: 'SIGABRT', SIGPOLL: 'SIGIO', SIGCLD: 'SIGCHLD' };

export const SIGNAL_NAMES: readonly string[] = NAMES.filter((name) => name !== undefined);

/** "SIGTERM" for "SIGTERM", "TERM", "term" or "15"; null for what is no signal. */
export function signalName(text: string): string | null {
  if (/^\d{1,2}$/.test(text)) return NAMES[Number(text)] ?? null;
  const upper = text.toUpperCase();
  const whole = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const name = ALIASES[whole] ?? whole;
  return SIGNAL_NAMES.includes(name) ? name : null;
}

/** 15 for "SIGTERM"; null for a name that signalName() does not give. */
export function signalNumber(name: string): number | null {
  const number = NAMES.indexOf(name);
  return number < 1 ? null : number;
}
