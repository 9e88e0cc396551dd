/**
 * What this kernel lets be done to calls, found out by doing it: the very programs of faults are loaded and attached to
 * functions that hardly anybody calls, and to a cgroup made for it, then taken away. They find no rule, so they do
 * nothing. Versions and configurations promise what policies refuse, so there is no other way to know.
 */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { posix } from 'node:path';
import type { Addon, BpfObject, ProgramResult } from '../../bpf/addon.ts';
import { objectPath } from '../../bpf/objects.ts';
import { OWN_ARCH, entryFunction } from '../../frame/arch.ts';
import { Hierarchies } from '../../identity/hierarchies.ts';
import type { BackendName } from '../backends.ts';
import { MAX_DELAY_US } from '../rule.ts';
import type { ChaosCapabilities, Usable } from '../select.ts';
import { kernelBtf } from './btf.ts';
import { FaultCore } from './core.ts';
import { injectableFunctions } from './injectable.ts';

/** Longest delay where the program cannot give the CPU away, microseconds. */
export const SPIN_MAX_US = 20_000;

/** Functions that may hold a call for long, since programs on them may sleep. */
export type Holder = 'fmod_ret' | 'lsm';

export interface KernelCapabilities extends ChaosCapabilities {
  readonly holders: ReadonlySet<Holder>;
}

const RARE_CALL = entryFunction(OWN_ARCH, 'getpgid');
const RARE_SECURITY = 'security_path_chroot';
const RARE_LSM = 'path_chroot';
/** Of those that let programs sleep. */
const RARE_SLEEPING_LSM = 'syslog';
const CGROUP_LSM = 'socket_bind';
const FOUND: Usable = { usable: true, reason: 'loads and attaches' };

const no = (reason: string): Usable => ({ usable: false, reason: reason.split('\n', 1)[0] ?? '' });
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/^cannot load [^:]+: /, '');

interface Attempt {
  readonly object: 'chaos/act' | 'chaos/cgroup';
  readonly program: string;
  readonly target?: string;
  /** Directory of a cgroup to attach to. */
  readonly directory?: string;
}

/** Never rejects. */
async function attempt(addon: Addon, { object: name, program, target, directory }: Attempt, debug: (text: string) => void): Promise<Usable> {
  let object: BpfObject | null = null;
  try {
    object = addon.open(objectPath(name), {
      // Without a hook of its own the verifier would not even look at most of the program.
      name: program, autoload: { [program]: true }, globals: { own_hook: 1n }, maxEntries: { tokens: 1 }, ...(target === undefined ? {} : { attachTargets: { [program]: target } }),
    });
    await object.load();
    const results: readonly ProgramResult[] = directory === undefined ? await object.attachAsync([program]) : [object.attachCgroup(program, directory)];
    const failed = results.find(({ ok }) => !ok);
    if (failed) debug(failed.log);
    return failed ? no(failed.reason ?? 'refused') : FOUND;
  } catch (error) {
    debug((error as { verifierLog?: string }).verifierLog ?? '');
    return no(messageOf(error));
  } finally {
    await object?.closeAsync();
  }
}

/** The deciding programs, without which there are no faults at all. */
async function decides(addon: Addon, debug: (text: string) => void): Promise<Usable> {
  let core: FaultCore | null = null;
  try {
    core = await FaultCore.load(addon, { v1Fallback: false, debug });
    await core.attach();
    return FOUND;
  } catch (error) {
    return no(messageOf(error));
  } finally {
    await core?.object.closeAsync();
  }
}

/** Active LSMs; null when that cannot be read. */
function activeLsms(addon: Addon): readonly string[] | null {
  for (const read of [() => readFileSync('/sys/kernel/security/lsm', 'utf8'), () => addon.readUnmounted('securityfs', 'lsm')]) {
    try {
      return read().trim().split(',');
    } catch {
      // the other way
    }
  }
  return null;
}

function lsmReason(lsms: readonly string[] | null): string | null {
  if (lsms === null) return 'whether bpf is among the active LSMs cannot be read (/sys/kernel/security/lsm)';
  return lsms.includes('bpf') ? null : `bpf is not among the active LSMs (${lsms.join(',')}): boot with lsm=${[...lsms.filter((name) => name !== 'capability'), 'bpf'].join(',')}`;
}

/** A cgroup of its own for as long as the work lasts; where none can be made the root, whose processes do not notice either. */
async function inScratchCgroup<T>(work: (directory: string | null) => Promise<T>): Promise<T> {
  const root = Hierarchies.read().mounts(0)[0]?.mountPoint ?? null;
  if (root === null) return await work(null);
  const scratch = posix.join(root, `kbtop-try-${process.pid}`);
  let made = false;
  try {
    mkdirSync(scratch);
    made = true;
  } catch {
    // read-only, as in containers
  }
  try {
    return await work(made ? scratch : root);
  } finally {
    try {
      if (made) rmdirSync(scratch);
    } catch {
      // empty anyway
    }
  }
}

async function detect(addon: Addon, debug: (text: string) => void): Promise<KernelCapabilities> {
  const act = (program: string, target: string, directory?: string): Promise<Usable> => attempt(addon, { object: 'chaos/act', program, target, ...(directory === undefined ? {} : { directory }) }, debug);
  const noCgroup = no('no cgroup v2 hierarchy is mounted');
  const [core, fmodRet, kprobe, security, lsm, holdingCall, holdingLsm, [lsmCgroup, cgroup]] = await Promise.all([
    decides(addon, debug), act('modify', RARE_CALL), act('override', RARE_CALL), act('modify', RARE_SECURITY), act('deny', RARE_LSM), act('modify_holding', RARE_CALL), act('deny_holding', RARE_SLEEPING_LSM),
    inScratchCgroup((directory) => (directory === null ? Promise.resolve([noCgroup, noCgroup] as const)
      : Promise.all([act('deny_cgroup', CGROUP_LSM, directory), attempt(addon, { object: 'chaos/cgroup', program: 'connect4', directory }, debug)]))),
  ]);
  const btf = kernelBtf(['security_', 'bpf_lsm_'], 'bpf_func_id');
  const inactive = lsmReason(activeLsms(addon));
  const needs = (found: Usable): Usable => (core.usable ? found : no(core.reason));
  const needsLsm = (found: Usable): Usable => needs(found.usable && inactive !== null ? no(inactive) : found);
  const backends: Record<BackendName, Usable> = {
    fmod_ret: needs(fmodRet), kprobe: needs(kprobe), lsm_cgroup: needsLsm(lsmCgroup), fmod_ret_security: needs(security), lsm: needsLsm(lsm), cgroup: needs(cgroup), signal: core, delay: core,
  };
  const holders = new Set<Holder>();
  if (needs(holdingCall).usable) holders.add('fmod_ret');
  if (needsLsm(holdingLsm).usable) holders.add('lsm');
  const named = (prefix: string, rest: number): ReadonlySet<string> | null => btf && new Set([...btf.functions].filter((name) => name.startsWith(prefix)).map((name) => name.slice(rest)));
  return {
    arch: OWN_ARCH, backends, injectable: injectableFunctions(addon), securityFunctions: named('security_', 0), lsmHooks: named('bpf_lsm_', 'bpf_lsm_'.length),
    cgroupAnyErrno: btf?.values.has('BPF_FUNC_set_retval') ?? false, maxDelayUs: holders.size > 0 ? MAX_DELAY_US : SPIN_MAX_US, holders,
  };
}

const known = new WeakMap<Addon, Promise<KernelCapabilities>>();

/** Found out once in a process. Takes a few hundred milliseconds; never rejects. @param debug gets verifier logs */
export function kernelCapabilities(addon: Addon, debug: (text: string) => void = () => {}): Promise<KernelCapabilities> {
  let found = known.get(addon);
  if (found === undefined) known.set(addon, (found = detect(addon, (text) => (text === '' ? undefined : debug(text)))));
  return found;
}
