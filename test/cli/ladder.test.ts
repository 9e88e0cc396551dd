import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CAPABILITIES, type Capability, type Privileges } from '../../src/bpf/capabilities.ts';
import { LADDER, WITHOUT, reaches, stepTo } from '../../src/cli/ladder.ts';
import { ladderChecks } from '../../src/cli/doctor/ladder.ts';

const own = (euid: number | null, ...held: readonly Capability[]): Privileges => ({ euid, nested: false, has: (capability) => (euid === null ? null : held.includes(capability)) });
const ALL = Object.keys(CAPABILITIES) as Capability[];
const reached = (who: Privileges): (boolean | null)[] => LADDER.map((rung) => reaches(rung, who));
const [measure, names, , root] = LADDER;

describe('the ladder of privileges', () => {
  it.each([
    ['nobody', own(1000), [false, false, false, false]],
    ['CAP_BPF alone', own(1000, 'CAP_BPF'), [false, false, false, false]],
    ['CAP_BPF and CAP_PERFMON', own(1000, 'CAP_BPF', 'CAP_PERFMON'), [true, false, false, false]],
    ['... and CAP_DAC_READ_SEARCH', own(1000, 'CAP_BPF', 'CAP_PERFMON', 'CAP_DAC_READ_SEARCH'), [true, true, false, false]],
    ['CAP_SYS_ADMIN alone, which covers BPF but no files', own(1000, 'CAP_SYS_ADMIN'), [true, false, true, false]],
    ['every capability, but another user', own(1000, ...ALL), [true, true, true, false]],
    ['root', own(0, ...ALL), [true, true, true, true]],
    ['root of a container with two capabilities, whose files root\'s are', own(0, 'CAP_BPF', 'CAP_PERFMON'), [true, true, false, false]],
    ['root of a container with none', own(0), [false, true, false, false]],
    ['whoever cannot be asked', own(null), [null, null, null, null]],
  ])('stands with %s', (_, who, expected) => expect(reached(who)).toEqual(expected));

  it('says the exact step: for a user, for a container\'s root, for a pod', () => {
    if (!measure || !names || !root) throw new Error('no rungs');
    expect(stepTo(measure, own(1000), false)).toBe('sudo setpriv --reuid $(id -u) --regid $(id -g) --init-groups --inh-caps +bpf,+perfmon --ambient-caps +bpf,+perfmon kbtop');
    expect(stepTo(names, own(1000), true)).toBe('securityContext: { runAsUser: 0, capabilities: { add: [BPF, PERFMON, DAC_READ_SEARCH] } }');
    expect(stepTo(measure, own(0), false)).toBe('securityContext: { capabilities: { add: [BPF, PERFMON] } }');
    expect([stepTo(root, own(1000), false), stepTo(root, own(0), true)]).toEqual(['sudo kbtop', 'securityContext: { privileged: true }']);
  });

  it('knows that root of a user namespace is nobody', () => {
    const nested: Privileges = { euid: 0, nested: true, has: () => false };
    expect(reached(nested)).toEqual([false, false, false, false]);
    expect(LADDER.map((rung) => stepTo(rung, nested, false))).toEqual(LADDER.map(() => 'run it outside of the user namespace'));
    expect(ladderChecks(nested, true)[1]).toMatchObject({ ok: 'no', reason: expect.stringContaining('this is a user namespace') as string, fix: 'hostUsers: true in the pod\'s spec' });
  });

  it('tells the doctor what is lost below each rung', () => {
    expect(ladderChecks(own(1000), false).map(({ check, ok }) => [check, ok])).toEqual(LADDER.map(({ name }) => [name, 'no']));
    expect(ladderChecks(own(1000), false)[0]?.reason).toBe(`lost: every pane; ${WITHOUT}`);
    expect(ladderChecks(own(0, ...ALL), false).every(({ ok, fix }) => ok === 'yes' && fix === null)).toBe(true);
    expect(ladderChecks(own(null), false)[0]).toMatchObject({ ok: 'unknown' });
  });
});

describe('docs/privileges.md', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/privileges.md'), 'utf8');
  const needs = (rung: (typeof LADDER)[number]): string => [...rung.capabilities.map((name) => `\`${name}\``), ...(rung.root ? ['user 0'] : [])].join(', ');

  it('has the table of the ladder as the program has it', () => {
    const table = LADDER.map((rung, at) => `| ${at + 1} | ${rung.name} | ${needs(rung)} | ${rung.gives} | ${rung.lost} |\n`).join('');
    expect(text).toContain(`| | rung | adds | gives | lost without it |\n|---|---|---|---|---|\n${table}`);
    expect(text).toContain(WITHOUT);
  });

  it('has every capability, and what it is for', () => {
    const table = ALL.map((name) => `| \`${name}\` | ${CAPABILITIES[name].gives} |\n`).join('');
    expect(text).toContain(`| capability | for |\n|---|---|\n${table}`);
  });

  it('has the steps as the doctor says them', () => {
    for (const rung of LADDER) for (const [uid, inPod] of [[1000, false], [0, true]] as const) expect(text).toContain(stepTo(rung, { euid: uid, nested: false }, inPod));
  });
});
