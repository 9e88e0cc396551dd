import { describe, expect, it } from 'vitest';
import type { Feature } from '../../../src/bpf/features.ts';
import { chaosChecks } from '../../../src/cli/doctor/chaos.ts';

const feature = (name: string, ok: boolean | null): Feature => ({ feature: name, ok, reason: ok ? 'loads and attaches' : 'refused', log: '' });
const all = (ok: boolean): Feature[] => ['kprobe', 'fmod_ret', 'lsm', 'cgroup', 'tp_btf', 'raw_tp', 'tracepoint', 'BPF LSM active'].map((name) => feature(name, ok));
const answers = (features: Feature[], config: (option: string) => string | null | undefined): Record<string, string> =>
  Object.fromEntries(chaosChecks(features, config).map(({ check, ok }) => [check, ok]));

describe('chaosChecks', () => {
  it('has everything where the kernel has everything', () => {
    expect(answers(all(true), () => 'y')).toEqual({ 'kprobe override': 'yes', fmod_ret: 'yes', LSM: 'yes', 'cgroup hooks': 'yes', signal: 'yes' });
  });

  it('tells the two gates of error injection apart', () => {
    const only = (...options: string[]) => (option: string) => (options.includes(option) ? 'y' : null);
    expect(answers(all(true), only('CONFIG_FUNCTION_ERROR_INJECTION'))).toMatchObject({ 'kprobe override': 'no', fmod_ret: 'yes' });
    expect(answers(all(true), only())).toMatchObject({ 'kprobe override': 'no', fmod_ret: 'partly' });
    expect(answers(all(true), () => undefined)).toMatchObject({ 'kprobe override': 'unknown', fmod_ret: 'partly' });
  });

  it('does not trust LSM programs that load but never run', () => {
    const features = all(true).map((one) => (one.feature === 'BPF LSM active' ? feature('BPF LSM active', false) : one));
    expect(answers(features, () => 'y')['LSM']).toBe('no');
  });

  it('says no with the kernel\'s reason, and unknown where nothing was tried', () => {
    const rows = chaosChecks(all(false), () => 'y');
    expect(rows.map(({ ok }) => ok)).toEqual(['no', 'no', 'no', 'no', 'no']);
    for (const { reason } of rows) expect(reason).toContain('refused');
    expect(Object.values(answers([], () => 'y'))).toEqual(['unknown', 'unknown', 'unknown', 'unknown', 'unknown']);
  });
});
