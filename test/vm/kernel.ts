/**
 * What the kernel that runs the tests can do, found out by loading and attaching (src/bpf/program-features.ts): for
 * describe.skipIf(!kernel.errorInjection), so that a test runs wherever it can, in a VM or not.
 */
import { readFileSync } from 'node:fs';
import { loadAddon } from '../../src/bpf/load.ts';
import { PROGRAM_FEATURES, type ProgramFeature, programFeatures } from '../../src/bpf/program-features.ts';
import { canLoadBpf, hierarchies } from '../workloads/cgroup.ts';

export interface KernelAbilities {
  readonly fentry: boolean;
  readonly kprobe: boolean;
  /** fmod_ret on system calls, kprobes with bpf_override_return: the kernel was built with error injection. */
  readonly errorInjection: boolean;
  readonly kprobeOverride: boolean;
  /** fmod_ret on the security_ functions, which needs no error injection. */
  readonly fmodRetSecurity: boolean;
  /** LSM programs load, and bpf is among the active LSMs, so they run. */
  readonly bpfLsm: boolean;
  readonly lsmCgroup: boolean;
  readonly cgroup: boolean;
  readonly cgroupMode: 'v1' | 'v2' | 'hybrid';
}

async function detect(): Promise<KernelAbilities> {
  const rows = canLoadBpf ? await programFeatures(loadAddon()) : [];
  const taken = (feature: ProgramFeature): boolean => rows[PROGRAM_FEATURES.indexOf(feature)]?.ok === true;
  const active = lsms().includes('bpf');
  return {
    fentry: taken('fentry'),
    kprobe: taken('kprobe'),
    errorInjection: taken('fmod_ret'),
    kprobeOverride: taken('override'),
    fmodRetSecurity: taken('fmod_ret_security'),
    bpfLsm: taken('lsm') && active,
    lsmCgroup: taken('lsm_cgroup') && active,
    cgroup: taken('cgroup'),
    cgroupMode: hierarchies.mode,
  };
}

/** Active LSMs, in order; none when securityfs cannot be read. */
export function lsms(): string[] {
  try {
    return readFileSync('/sys/kernel/security/lsm', 'utf8').trim().split(',');
  } catch {
    return [];
  }
}

export const kernel: KernelAbilities = await detect();
