/** What kernels of the three classes can: made up after what was measured on them. */
import { BACKEND_NAMES, type BackendName } from '../../src/chaos/backends.ts';
import { callsOf } from '../../src/frame/syscall-names/index.ts';
import { entriesOf } from '../../src/chaos/kernel-symbols.ts';
import type { ChaosCapabilities } from '../../src/chaos/select.ts';

function backends(usable: readonly BackendName[], reasons: Partial<Record<BackendName, string>> = {}): ChaosCapabilities['backends'] {
  return Object.fromEntries(BACKEND_NAMES.map((name) => [name, usable.includes(name) ? { usable: true, reason: 'loads and attaches' } : { usable: false, reason: reasons[name] ?? `no ${name} here` }])) as ChaosCapabilities['backends'];
}

const every = [...callsOf('x86_64'), ...callsOf('i386')].flatMap((call) => entriesOf(call).slice(-1).map(({ names }) => names.at(-1) ?? ''));

/** Error injection, failslab and everything else. */
export const FULL: ChaosCapabilities = {
  arch: 'x86_64', backends: backends(BACKEND_NAMES), injectable: new Set([...every, '__ia32_compat_sys_openat', 'should_failslab', 'should_fail_alloc_page', 'should_fail_bio']),
  securityFunctions: null, lsmHooks: null, cgroupAnyErrno: true, maxDelayUs: 5_000_000,
};

/** A stock Debian: no error injection, BPF LSM. */
export const STOCK: ChaosCapabilities = {
  ...FULL, injectable: new Set(), maxDelayUs: 20_000,
  backends: backends(['lsm_cgroup', 'fmod_ret_security', 'lsm', 'cgroup', 'signal', 'delay'], { fmod_ret: '__x64_sys_getcpu() is not modifiable', kprobe: 'unknown func bpf_override_return#58' }),
};

/** A kernel that refuses trampolines. */
export const BARE: ChaosCapabilities = { ...STOCK, backends: backends(['cgroup', 'signal', 'delay'], { fmod_ret: 'not permitted', kprobe: 'not permitted', lsm_cgroup: 'not permitted', fmod_ret_security: 'not permitted', lsm: 'not permitted' }) };

export const NOTHING: ChaosCapabilities = { ...STOCK, backends: backends([]) };
