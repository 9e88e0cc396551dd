/**
 * Which BPF program types this kernel takes from this user: a no-op of each (bpf/features/) is loaded, attached
 * for a moment and taken away again. Some kernels and sandboxes refuse types that their version and
 * configuration promise, so there is no other way to know.
 */
import { readFileSync } from 'node:fs';
import type { Addon, BpfError, ProgramResult } from './addon.ts';
import type { Feature } from './features.ts';
import { objectPath } from './objects.ts';

/** Names of the objects in bpf/features/. */
export const PROGRAM_FEATURES = [
  'tp_btf', 'raw_tp', 'tracepoint', 'iter', 'ringbuf', 'task_storage', 'kprobe', 'override', 'fentry', 'fmod_ret', 'fmod_ret_security', 'lsm', 'lsm_cgroup',
  'cgroup',
] as const;
export type ProgramFeature = (typeof PROGRAM_FEATURES)[number];

/** Mount point of cgroup v2; null when it is not mounted. */
function cgroupV2Mount(): string | null {
  try {
    const line = readFileSync('/proc/self/mounts', 'utf8').split('\n').find((mount) => mount.split(' ')[2] === 'cgroup2');
    return line?.split(' ')[1]?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))) ?? null;
  } catch {
    return null;
  }
}

function refused(feature: string, error: unknown): Feature {
  const { message, libbpfLog = '', verifierLog = '' } = error as Partial<BpfError>;
  return { feature, ok: false, reason: (message ?? String(error)).replace(`cannot load ${feature}: `, ''), log: libbpfLog + verifierLog };
}

/** Try one. Never rejects. */
export async function programFeature(addon: Addon, feature: ProgramFeature): Promise<Feature> {
  let object;
  try {
    object = addon.open(objectPath(`features/${feature}`), { name: feature });
  } catch (error) {
    return refused(feature, error);
  }
  try {
    await object.load();
    let result: ProgramResult | undefined;
    if (feature === 'cgroup' || feature === 'lsm_cgroup') {
      const root = cgroupV2Mount();
      if (root === null) return { feature, ok: false, reason: 'loads, but there is no cgroup v2 hierarchy to attach to', log: '' };
      result = object.attachCgroup('probe', root);
    } else {
      [result] = await object.attachAsync(['probe']);
    }
    if (!result) return { feature, ok: false, reason: 'its object has no program', log: '' };
    return { feature, ok: result.ok, reason: result.reason ?? 'loads and attaches', log: result.log };
  } catch (error) {
    return refused(feature, error);
  } finally {
    object.close();
  }
}

/** Try them all, some at a time; rows in the order asked for. Takes some 100 ms. Never rejects. */
export function programFeatures(addon: Addon, features: readonly ProgramFeature[] = PROGRAM_FEATURES): Promise<Feature[]> {
  return Promise.all(features.map((feature) => programFeature(addon, feature)));
}
