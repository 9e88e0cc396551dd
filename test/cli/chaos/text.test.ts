import { describe, expect, it } from 'vitest';
import type { FaultStatus } from '../../../src/chaos/door.ts';
import type { Hit } from '../../../src/chaos/hit.ts';
import { eventLine } from '../../../src/cli/chaos/run.ts';
import { stoppedText } from '../../../src/cli/chaos/stop.ts';
import { HIT_HEADINGS, hitLine, obstacleOf, planLines, summaryLine, toldTogether } from '../../../src/cli/chaos/text.ts';
import { select } from '../../../src/chaos/select.ts';
import { BARE } from '../../chaos/capabilities-fixture.ts';
import { rule } from '../../chaos/service/fixture.ts';

const hit: Hit = {
  time: new Date(2026, 0, 2, 3, 4, 5, 67).getTime(), cgroup: '11', n: 3, number: 1, abi: 'x86_64', nr: 257, syscall: 'openat', effect: 'error', result: -28, given: 'ENOSPC', heldUs: 4, acted: true, dryRun: false,
  pid: 4711, tid: 4712, nsPid: 7, uid: 0, comm: 'ev\u001b]il', path: '/data/\u202ex\n', backend: 'fmod_ret',
};

const fault: FaultStatus = {
  id: 1, auditId: 'a', rule: rule(), text: 't', targetName: 'shop/web-1/app', cgroups: ['11'], backends: ['cgroup'], dryRun: false, state: 'ended', armedAt: 1000.4, deadline: 61_000, endedAt: 13_300.6,
  endReason: 'budget', endDetail: null, matched: 40, hits: 10, acted: 9, missed: 0, unreadable: 0, throttled: 0, lost: 0,
};

describe('a hit in text', () => {
  it('is a line under the headings, safe for a terminal', () => {
    const line = hitLine(hit);
    expect(line).toBe('03:04:05.067     4711  ev\\e]il          openat        ENOSPC          fmod_ret   /data/\\u{202e}x\\n');
    expect(line.indexOf('openat')).toBe(HIT_HEADINGS.indexOf('SYSCALL'));
    expect(line.indexOf('/data')).toBe(HIT_HEADINGS.indexOf('ARGUMENT'));
  });

  it.each([
    [{ effect: 'delay', given: null, heldUs: 5123 }, '+5.1ms'], [{ effect: 'signal', given: 'SIGTERM' }, 'SIGTERM'], [{ dryRun: true, acted: false }, '(ENOSPC)'], [{ acted: false }, 'ENOSPC (not taken)'],
  ] as const)('with %j tells %s', (more, text) => {
    expect(hitLine({ ...hit, ...more })).toContain(` ${text} `);
  });
});

describe('an end in text', () => {
  it.each([
    [{}, 'Ended after 12.3s: its budget was spent. 40 calls matched, 10 were hit, 9 failed.'],
    [{ dryRun: true, acted: 0, hits: 1, matched: 1 }, 'Ended after 12.3s: its budget was spent. 1 call matched, 1 would have been hit.'],
    [{ endReason: 'error', endDetail: 'no\u0007pe', lost: 3, missed: 1, throttled: 2 }, 'Ended after 12.3s: it could not be kept up (no\\x07pe). 40 calls matched, 10 were hit, 9 failed. 1 did not pass the hook and went by; 2 delays were left out to spare the CPU; 3 hits are not listed.'],
  ] as const)('%j', (more, text) => {
    expect(summaryLine({ ...fault, ...more })).toBe(text);
  });
});

describe('events as ndjson', () => {
  it('are one object a line, raw', () => {
    expect(JSON.parse(eventLine({ kind: 'hit', fault: 1, hit }, 'ndjson') ?? '')).toMatchObject({ event: 'hit', fault: 1, hit: { comm: 'ev\u001b]il', time: new Date(hit.time).toISOString() } });
    expect(JSON.parse(eventLine({ kind: 'fault', fault }, 'ndjson') ?? '')).toMatchObject({ event: 'ended', fault: { endReason: 'budget', rule: { syscalls: ['connect'] } } });
    expect(eventLine({ kind: 'fault', fault: { ...fault, state: 'armed' } }, 'ndjson')).toBe(null);
  });
});

describe('a plan in text', () => {
  const effect = { kind: 'error', errno: 'EIO' } as const;
  const base = { rule: rule(), text: 'For 1 min, \u001bx', targets: [{ key: '11', cgroup: '/a', name: 'shop/web-1/app' }], selections: [select('connect', effect, BARE)], refusals: [], warnings: [], confirmation: null };

  it('says whom it hits, by what, what refuses it and what is to be typed', () => {
    const lines = planLines({ ...base, refusals: [{ rule: 'host', reason: 'no', unless: null }], warnings: [{ about: 'calls', text: 'beware' }], confirmation: { text: 'web-1', reasons: ['wide: 2 pods are hit'] } }, false);
    expect(lines).toEqual(['For 1 min, \\ex', '  hits shop/web-1/app (/a)', '  connect: errors by cgroup', '  note: connect: IPv4 and IPv6 only', '  warning: beware', '  refused: no', '  wide: 2 pods are hit', '  "web-1" is to be typed before it is armed']);
    expect(planLines(base, true)).toContain('    not signal: gives signals only');
    expect(planLines({ ...base, targets: Array.from({ length: 12 }, (_, i) => ({ key: `${i}`, cgroup: null, name: `c${i}` })) }, false)).toContain('  hits and 2 more cgroups');
  });

  it('tells calls together that differ in nothing but their names', () => {
    const selections = ['open', 'openat', 'connect'].map((syscall) => select(syscall, effect, BARE));
    const [together, apart, ...rest] = toldTogether(selections);
    expect(together?.reason).toMatch(/^no errors from open, openat: /);
    expect(together?.others.find(({ backend }) => backend === 'cgroup')?.reason).toBe('cgroups have no hook for open, openat');
    expect(apart).toEqual({ reason: selections[2]?.reason, notes: selections[2]?.notes, others: selections[2]?.others, attachment: selections[2]?.attachment, syscall: 'connect' });
    expect(rest).toEqual([]);
    expect(planLines({ ...base, selections }, false).filter((line) => line.includes('openat'))).toHaveLength(1);
  });

  it('knows why it cannot be armed', () => {
    expect(obstacleOf(base)).toBe(null);
    expect(obstacleOf({ ...base, selections: [] })).toBe('no program here has a call connect');
    expect(obstacleOf({ ...base, selections: [select('fsync', effect, BARE)] })).toMatch(/^no errors from fsync: /);
    expect(obstacleOf({ ...base, refusals: [{ rule: 'call', reason: 'errors of close are refused', unless: '--expert' }] })).toBe('errors of close are refused (--expert allows it)');
  });
});

describe('what was stopped', () => {
  const one = { file: 'f', pid: 12, startTime: '1', pidNamespace: 'p', faults: ['For 1 min, \u001bx'] };
  it.each([
    [{ stopped: [one], left: [], foreign: [] }, 'stopped (pid 12): For 1 min, \\ex\n'],
    [{ stopped: [{ ...one, faults: [] }], left: [], foreign: [] }, 'nothing was armed\n'],
    [{ stopped: [], left: [], foreign: [] }, 'nothing to stop: no kbtop holds faults on this node\n'],
  ])('%j', (stopped, text) => {
    expect(stoppedText(stopped)).toBe(text);
  });
});
