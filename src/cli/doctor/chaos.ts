/** Which ways of injecting faults this kernel has: told from its features, nothing is injected. */
import type { Feature } from '../../bpf/features.ts';
import { type Answer, type Check, check } from './check.ts';

type Known = (feature: string) => Feature | undefined;

/** A program type's own answer; null when it was not tried. */
const taken = (known: Known, type: string): boolean | null => known(type)?.ok ?? null;

const why = (known: Known, type: string): string => known(type)?.reason ?? 'not tried: see the panes';

/** @param config value of a kernel option: a string, null when not set, undefined when the configuration cannot be read */
export function chaosChecks(features: readonly Feature[], config: (option: string) => string | null | undefined): Check[] {
  const byName = new Map(features.map((feature) => [feature.feature, feature]));
  const known: Known = (name) => byName.get(name);
  const row = (name: string, ok: Answer | boolean | null, reason: string, fix: string | null = null): Check => check('chaos', name, ok, reason, fix);

  const withOption = (name: string, type: string, option: string, purpose: string): Check => {
    const accepted = taken(known, type);
    if (accepted !== true) return row(name, accepted, why(known, type));
    const value = config(option);
    if (value === undefined) return row(name, null, `${type} programs are taken; whether ${option} is set cannot be read`);
    return value === null ? row(name, false, `${option} is not set`, 'a kernel built with it') : row(name, true, purpose);
  };

  const modify = taken(known, 'fmod_ret');
  const injection = config('CONFIG_FUNCTION_ERROR_INJECTION');
  const lsmActive = known('BPF LSM active');
  const lsm = taken(known, 'lsm');
  const signal = ['tp_btf', 'raw_tp', 'tracepoint'].map((type) => taken(known, type));

  return [
    withOption('kprobe override', 'kprobe', 'CONFIG_BPF_KPROBE_OVERRIDE', 'any error from any system call'),
    modify !== true
      ? row('fmod_ret', modify, why(known, 'fmod_ret'))
      : injection === null
        ? row('fmod_ret', 'partly', 'errors from security hooks (open, connect, ...); CONFIG_FUNCTION_ERROR_INJECTION is not set, so not from every system call')
        : row('fmod_ret', injection === undefined ? 'partly' : true, injection === undefined ? 'errors from security hooks; whether from every system call cannot be read' : 'errors from system calls and security hooks'),
    lsm !== true || lsmActive?.ok === true
      ? row('LSM', lsm, lsm === true ? 'errors from security hooks' : why(known, 'lsm'))
      : row('LSM', lsmActive?.ok ?? null, lsmActive?.reason ?? 'whether bpf is among the active LSMs cannot be read'),
    row('cgroup hooks', taken(known, 'cgroup'), taken(known, 'cgroup') === true ? 'errors from connect, bind, sendto, sockopt, socket, device open, sysctl in a cgroup' : why(known, 'cgroup')),
    signal.includes(true)
      ? row('signal', true, 'signals to the calling task')
      : row('signal', signal.includes(false) ? false : null, why(known, 'tp_btf')),
  ];
}
