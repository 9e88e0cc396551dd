/** Hooks of a system call, as hooks-data.ts has them, by call. */
import { familyOf } from './families.ts';
import { CGROUP_HOOK_WORDS, HOOK_WORDS } from './hooks-data.ts';

export interface SecurityHook {
  /** Kernel function that fmod_ret attaches to: security_file_open. */
  readonly function: string;
  /** Name of the BPF LSM's hook; null when it has none. */
  readonly lsm: string | null;
}

export interface HookCover {
  /** All of them are attached: a call uses up the first one that it meets. */
  readonly hooks: readonly SecurityHook[];
  readonly side: string | null;
  readonly except: string | null;
}

export interface CgroupCover {
  /** Attach types: connect4. */
  readonly programs: readonly string[];
  /** What of the call they see; null: all of it. */
  readonly only: string | null;
}

const securityHook = (word: string): SecurityHook => {
  const [name = '', lsm = name] = word.split('|');
  return { function: `security_${name}`, lsm: lsm === '' ? null : lsm };
};

const BY_FAMILY = new Map(HOOK_WORDS.flatMap(({ families, hooks, side, except, without = '' }) => {
  const cover = { cover: { hooks: hooks.split(' ').map(securityHook), side, except } satisfies HookCover, without: without.split(' ') };
  return families.split(' ').map((family) => [family, cover] as const);
}));

const BY_CALL = new Map(CGROUP_HOOK_WORDS.flatMap(({ calls, programs, only }) => calls.split(' ').map((call) => [call, { programs: programs.split(' '), only: only === '' ? null : only } satisfies CgroupCover] as const)));

/** Security hooks of a call; null when it passes none (fsync, close, poll, ...). */
export function securityHooksOf(call: string): HookCover | null {
  const found = BY_FAMILY.get(familyOf(call)?.name ?? '');
  return found === undefined || found.without.includes(call) ? null : found.cover;
}

/** Programs of a cgroup that can fail the call; null when there are none. */
export const cgroupHooksOf = (call: string): CgroupCover | null => BY_CALL.get(call) ?? null;
