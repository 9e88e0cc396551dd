/** Which ways of injecting faults this kernel has: told from its features, nothing is injected. */
import type { Feature } from '../../bpf/features.ts';
import { type Answer, type Check, check } from './check.ts';

type Known = (feature: string) => Feature | undefined;

/** A program type's own answer; null when it was not tried. */
const taken = (known: Known, type: string): boolean | null => known(type)?.ok ?? null;

const why = (known: Known, type: string): string => known(type)?.reason ?? 'not tried: see the panes';

/** @param features what files tell and what was tried (systemFeatures, programFeatures) */
export function chaosChecks(features: readonly Feature[]): Check[] {
  const byName = new Map(features.map((feature) => [feature.feature, feature]));
  const known: Known = (name) => byName.get(name);
  const row = (name: string, ok: Answer | boolean | null, reason: string, fix: string | null = null): Check => check('chaos', name, ok, reason, fix);
  /** Tried, and the effect when it works. */
  const tried = (name: string, type: string, effect: string): Check => row(name, taken(known, type), taken(known, type) === true ? effect : why(known, type));

  const calls = taken(known, 'fmod_ret');
  const lsmActive = known('BPF LSM active');
  const lsm = taken(known, 'lsm');
  const signal = ['tp_btf', 'raw_tp', 'tracepoint'].map((type) => taken(known, type));

  return [
    tried('kprobe override', 'override', 'any error from any system call'),
    calls !== true && taken(known, 'fmod_ret_security') === true
      ? row('fmod_ret', 'partly', `errors from security hooks (open, connect, ...), but not from every system call: ${why(known, 'fmod_ret')}`)
      : tried('fmod_ret', 'fmod_ret', 'errors from system calls and security hooks'),
    lsm !== true || lsmActive?.ok === true
      ? tried('LSM', 'lsm', 'errors from security hooks')
      : row('LSM', lsmActive?.ok ?? null, lsmActive?.reason ?? 'whether bpf is among the active LSMs cannot be read'),
    tried('cgroup hooks', 'cgroup', 'errors from connect, bind, sendto, sockopt, socket, device open, sysctl in a cgroup'),
    signal.includes(true)
      ? row('signal', true, 'signals to the calling task')
      : row('signal', signal.includes(false) ? false : null, why(known, 'tp_btf')),
  ];
}
