import { describe, expect, it } from 'vitest';
import type { Feature } from '../../../src/bpf/features.ts';
import { chaosChecks } from '../../../src/cli/doctor/chaos.ts';

const feature = (name: string, ok: boolean | null): Feature => ({ feature: name, ok, reason: ok ? 'loads and attaches' : 'refused', log: '' });
const TRIED = ['kprobe', 'override', 'fmod_ret', 'fmod_ret_security', 'lsm', 'cgroup', 'tp_btf', 'raw_tp', 'tracepoint', 'BPF LSM active'];
const all = (ok: boolean): Feature[] => TRIED.map((name) => feature(name, ok));
const but = (...refused: string[]): Feature[] => all(true).map((one) => (refused.includes(one.feature) ? feature(one.feature, false) : one));
const answers = (features: Feature[]): Record<string, string> => Object.fromEntries(chaosChecks(features).map(({ check, ok }) => [check, ok]));

describe('chaosChecks', () => {
  it('has everything where the kernel has everything', () => {
    expect(answers(all(true))).toEqual({ 'kprobe override': 'yes', fmod_ret: 'yes', LSM: 'yes', 'cgroup hooks': 'yes', signal: 'yes' });
  });

  it('tells the gates of error injection apart', () => {
    expect(answers(but('override'))).toMatchObject({ 'kprobe override': 'no', fmod_ret: 'yes' });
    expect(answers(but('override', 'fmod_ret'))).toMatchObject({ 'kprobe override': 'no', fmod_ret: 'partly' });
    expect(answers(but('override', 'fmod_ret', 'fmod_ret_security'))).toMatchObject({ fmod_ret: 'no' });
  });

  it('does not trust LSM programs that load but never run', () => {
    expect(answers(but('BPF LSM active'))['LSM']).toBe('no');
  });

  it('says no with the kernel\'s reason, and unknown where nothing was tried', () => {
    const rows = chaosChecks(all(false));
    expect(rows.map(({ ok }) => ok)).toEqual(['no', 'no', 'no', 'no', 'no']);
    for (const { reason } of rows) expect(reason).toContain('refused');
    expect(Object.values(answers([]))).toEqual(['unknown', 'unknown', 'unknown', 'unknown', 'unknown']);
  });
});
