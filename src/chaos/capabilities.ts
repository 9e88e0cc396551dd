/** `kbtop chaos capabilities -o json`: what can be made to fail here, by what, and why the rest cannot. */
import { callsOf } from '../frame/syscall-names/index.ts';
import { BACKENDS, BACKEND_NAMES, type BackendName } from './backends.ts';
import { errorsOf } from './errors.ts';
import { refusedCall } from './refused-calls.ts';
import { type ChaosCapabilities, select } from './select.ts';

export interface SyscallCapability {
  readonly syscall: string;
  /** Something can be done to it, at least a signal or a delay. */
  readonly possible: boolean;
  /** What gives its errors; without errors, what gives signals or delays; null when nothing can be done. */
  readonly backend: BackendName | null;
  /** Errors that make sense for it and can be given here, the likely ones first. */
  readonly errors: readonly string[];
  /** One line: what limits it, or why it cannot be. */
  readonly reason: string;
}

export interface CapabilitiesDocument {
  readonly syscalls: readonly SyscallCapability[];
  readonly backends: readonly { readonly name: BackendName; readonly usable: boolean; readonly reason: string }[];
}

const PROBE_DELAY_US = 1;

/** @param expert calls are offered that are refused otherwise */
export function syscallCapability(syscall: string, capabilities: ChaosCapabilities, expert = false): SyscallCapability {
  const refused = refusedCall(syscall);
  const usual = errorsOf(syscall).map(({ errno }) => errno);
  const blocked = refused !== null && !(expert && refused.expert);
  const selections = blocked ? [] : usual.map((errno) => ({ errno, selection: select(syscall, { kind: 'error', errno }, capabilities) }));
  const able = selections.filter(({ selection }) => selection.attachment !== null);
  const [best] = able;
  if (best?.selection.attachment) {
    const { attachment, notes } = best.selection;
    return { syscall, possible: true, backend: attachment.backend, errors: able.map(({ errno }) => errno), reason: notes.join('; ') };
  }
  const why = blocked ? `errors are refused: ${refused?.reason}${refused?.expert === true ? '; expert mode allows them' : ''}` : selections[0]?.selection.reason ?? `no error is known for ${syscall}`;
  const instead = [select(syscall, { kind: 'signal', signal: 'SIGTERM' }, capabilities), select(syscall, { kind: 'delay', us: PROBE_DELAY_US }, capabilities)].flatMap(({ attachment }) => (attachment === null ? [] : [attachment.backend]));
  const [first = null] = instead;
  if (first === null) return { syscall, possible: false, backend: null, errors: [], reason: why };
  return { syscall, possible: true, backend: first, errors: [], reason: `${instead.map((name) => (name === 'signal' ? 'signals' : 'delays')).join(' and ')} only; ${why}` };
}

/** Calls are those of 64-bit programs, in alphabetical order. */
export function capabilitiesDocument(capabilities: ChaosCapabilities, expert = false): CapabilitiesDocument {
  const names = callsOf(capabilities.arch).map(({ name }) => name).sort();
  return {
    syscalls: names.map((name) => syscallCapability(name, capabilities, expert)),
    backends: BACKEND_NAMES.map((name) => ({ name, ...pick(capabilities.backends[name]) })),
  };
}

const pick = ({ usable, reason }: { readonly usable: boolean; readonly reason: string }): { readonly usable: boolean; readonly reason: string } => ({ usable, reason });

/** What a backend is called on screens. */
export const backendTitle = (backend: BackendName): string => BACKENDS.find(({ name }) => name === backend)?.title ?? backend;
