/** The ways to make a system call fail, wait or end, in the order in which they are preferred. */

export const BACKENDS = [
  { name: 'fmod_ret', title: 'fmod_ret on the system call', effect: 'error' },
  { name: 'kprobe', title: 'kprobe with bpf_override_return', effect: 'error' },
  { name: 'lsm_cgroup', title: 'BPF LSM of the cgroup', effect: 'error' },
  { name: 'fmod_ret_security', title: 'fmod_ret on a security hook', effect: 'error' },
  { name: 'lsm', title: 'BPF LSM', effect: 'error' },
  { name: 'cgroup', title: 'socket hooks of the cgroup', effect: 'error' },
  { name: 'signal', title: 'signal at the call\'s entry', effect: 'signal' },
  { name: 'delay', title: 'bounded spin at the call\'s entry', effect: 'delay' },
] as const satisfies readonly { readonly name: string; readonly title: string; readonly effect: EffectKind }[];

export type EffectKind = 'error' | 'signal' | 'delay';
export type BackendName = (typeof BACKENDS)[number]['name'];

export const BACKEND_NAMES: readonly BackendName[] = BACKENDS.map(({ name }) => name);

export const isBackendName = (name: string): name is BackendName => (BACKEND_NAMES as readonly string[]).includes(name);
