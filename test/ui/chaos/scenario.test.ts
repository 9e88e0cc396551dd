import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { STOCK } from '../../chaos/capabilities-fixture.ts';
import { POD, Rig, type RigOptions, TARGET } from './rig.ts';

const rigs: Rig[] = [];
const rig = (options?: RigOptions): Rig => {
  const one = new Rig(options);
  rigs.push(one);
  return one;
};
beforeEach(() => void vi.useFakeTimers({ now: new Date('2026-11-21T02:00:00Z') }));
afterEach(() => {
  for (const one of rigs.splice(0)) one.end();
  vi.useRealTimers();
});

describe('a fault from the screen', () => {
  it('goes from a row over a dry run and a yes to hits, and ends with its budget', async () => {
    const screen = rig();
    await screen.form('openat', { error: 'ENOSPC', hits: '10' });
    expect(screen.read).toMatch(/Preview about [\d.]+k?\/s, budget spent within a second, 2 processes/);
    expect(screen.read).toContain('Acts fmod_ret on the system call');
    await screen.press('enter').settle();
    expect(screen.door.asked.filter((what) => what.startsWith('arm'))).toEqual(['arm dry']);
    screen.door.call(1, 4);
    await screen.settle();
    expect(screen.read).toContain('DRY RUN: it counts');
    expect(screen.read).toContain('would have hit 4 of 4 matching calls');
    expect(screen.lines[1]).toMatch(/^ DRY RUN openat ENOSPC on shop\/web-5d9f6c7b8-iz6xk\/nginx 1m00s left 4\/10 hits .* X stops all $/);
    screen.press('enter').type('yes').press('enter');
    await screen.settle();
    expect(screen.door.asked.filter((what) => what !== 'plan').slice(-2)).toEqual(['disarm 1', 'arm real']);
    expect(screen.door.armed).toMatchObject([{ typed: null, confirmation: null, rule: { syscalls: ['openat'], effect: { kind: 'error', errno: 'ENOSPC' }, target: { pod: POD, container: 'nginx' }, maxHits: 10 } }]);
    screen.door.call(2, 3);
    await screen.settle();
    expect(screen.lines[1]).toMatch(/^ CHAOS openat ENOSPC on .* left 3\/10 hits/);
    expect(screen.read).toContain('surfaced 3 of 3, retried 2');
    expect(screen.read).toMatch(/Last hits of #2 \d\d:\d\d:\d\d 20000 server openat ENOSPC \/var\/lib\/data\/file/);
    screen.door.call(2, 7);
    await screen.settle();
    expect(screen.read).toContain('its hits were spent at');
    expect(screen.read).toMatch(/#2 openat ENOSPC \S+ spent 10\/10 10 10/);
    expect(screen.screen).not.toContain('CHAOS');
  });

  it('counts the time down between Frames, and tells why a fault ended by time', async () => {
    const screen = rig();
    await screen.form('openat', { for: '10s' });
    await screen.arm();
    const left = (): number => Number(/(\d+)s left/.exec(screen.lines[1] ?? '')?.[1]);
    const before = left();
    await screen.settle(3000);
    // Told once a second: at most one behind.
    expect([before - 3, before - 2]).toContain(left());
    await screen.settle(7000);
    screen.door.passTime();
    await screen.settle();
    expect(screen.read).toContain('its time was over');
  });

  it('only counts callers that try again within a second', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.arm();
    screen.door.call(2, 1, { pid: 1 });
    await screen.settle(1500);
    screen.door.call(2, 1, { pid: 1 });
    screen.door.call(2, 1, { pid: 2 });
    await screen.settle();
    expect(screen.read).toContain('surfaced 3 of 3, retried 0');
    screen.door.call(2, 1, { pid: 2 });
    await screen.settle();
    expect(screen.read).toContain('surfaced 4 of 4, retried 1');
  });

  it('is refused in one line, and nothing is armed', async () => {
    const screen = rig();
    await screen.form('openat', { target: 'kube-system/coredns-7a16bd4c9-md6pw/coredns' });
    expect(screen.read).toContain('Refused namespace kube-system runs the cluster');
    await screen.press('enter').settle();
    expect(screen.panel?.stage.kind).toBe('form');
    expect(screen.panel?.error).toMatch(/^refused: namespace kube-system/);
    expect(screen.door.asked.some((what) => what.startsWith('arm'))).toBe(false);
  });

  it('tells that there is no such target', async () => {
    const screen = rig();
    await screen.form('openat', { target: 'shop/nobody' });
    expect(screen.read).toContain('Cannot there is no pod shop/nobody on this node');
    await screen.press('enter').settle();
    expect(screen.panel).toMatchObject({ stage: { kind: 'form' }, error: 'there is no pod shop/nobody on this node' });
  });

  it('asks for the name of the pod where a yes is not enough, and takes nothing else', async () => {
    const screen = rig();
    await screen.form('openat', { fault: 'signal', signal: 'SIGKILL' });
    await screen.press('enter').settle();
    screen.press('a').type('yes').press('enter');
    await screen.settle();
    expect(screen.door.armed).toEqual([]);
    expect(screen.read).toContain(`"yes" is not ${POD}: nothing is armed`);
    expect(screen.read).toContain('irreversible: SIGKILL ends the process');
    screen.press('ctrl-u').type(POD).press('enter');
    await screen.settle();
    expect(screen.door.armed).toMatchObject([{ typed: POD, confirmation: POD }]);
  });

  it('does not take a confirmation that was pasted', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.press('enter').settle();
    screen.press('a');
    screen.controller.input([{ kind: 'paste', text: 'yes' }]);
    await screen.press('enter').settle();
    expect(screen.door.armed).toEqual([]);
  });

  it('leaves without anything on Esc: the dry run ends, and nothing is armed', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.press('enter').settle();
    screen.press('a').type('ye').press('esc');
    expect(screen.panel?.stage.kind).toBe('dry');
    await screen.press('esc').settle();
    expect(screen.panel?.stage.kind).toBe('form');
    expect(screen.door.faults).toMatchObject([{ dryRun: true, state: 'ended' }]);
    screen.press('esc');
    expect(screen.panel).toBeNull();
    expect(screen.door.armed).toEqual([]);
  });

  it('ends what is armed after it was taken back', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.press('enter').settle();
    const release = screen.door.hold();
    screen.press('a').type('yes').press('enter');
    await screen.settle();
    expect(screen.panel?.stage.kind).toBe('arming');
    screen.press('esc');
    release();
    await screen.settle();
    expect(screen.door.faults.every(({ state }) => state === 'ended')).toBe(true);
  });

  it('drops answers about an older form', async () => {
    const screen = rig();
    await screen.form('openat', { target: 'shop/nobody' });
    const release = screen.door.hold();
    await screen.press('shift-tab').press('tab').type('openat2').settle();
    for (let i = 0; i < 3; i++) screen.press('shift-tab');
    while (screen.panel?.field !== 'target') screen.press('tab');
    screen.type(TARGET);
    release();
    await screen.settle(0);
    expect(screen.panel?.planned).toBeNull();
    await screen.settle();
    expect(screen.panel?.planned).toHaveProperty('plan');
  });

  it('asks the door once when typing has paused, and never waits for it', async () => {
    const screen = rig();
    screen.door.hold();
    await screen.form('openat');
    expect(screen.door.asked.filter((what) => what === 'plan')).toHaveLength(1);
    expect(screen.read).toContain('asking whether that may be');
    screen.press('esc', '1', 'down');
    expect(screen.panel).toBeNull();
  });

  it('tells in the banner that whoever held a fault is gone', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.arm();
    screen.press('esc');
    screen.door.vanish('the helper was killed');
    await screen.settle();
    expect(screen.lines[1]).toMatch(/^ CHAOS IS GONE while 1 fault was armed: the helper was killed; the kernel holds none any more/);
    await screen.press('c').settle();
    expect(screen.screen).not.toContain('CHAOS IS GONE');
    expect(screen.read).toContain('error: the helper was killed');
    screen.press('esc');
    expect(screen.screen).not.toContain('CHAOS IS GONE');
  });

  it('shows the door\'s failure to arm in one line of the panel', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.press('enter').settle();
    screen.press('a').type('yes');
    screen.door.vanish('killed');
    screen.press('enter');
    await screen.settle();
    expect(screen.panel).toMatchObject({ stage: { kind: 'form' }, error: expect.stringMatching(/gone/) });
    expect(screen.screen).not.toContain('asking whether');
    expect(screen.door.armed).toEqual([]);
  });

  it('ends one fault of several with x', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.arm();
    while (screen.panel?.field !== 'call') screen.press('tab');
    await screen.type('read').settle();
    await screen.arm();
    expect(screen.lines[1]).toContain('+1 more');
    expect(screen.panel).toMatchObject({ field: 'faults', chosen: 4 });
    await screen.press('up', 'x').settle();
    expect(screen.door.faults.filter(({ state }) => state === 'armed').map(({ id }) => id)).toEqual([4]);
  });
});

describe('the panel', () => {
  it('says what acts and why nothing else does, also during the dry run', async () => {
    const screen = rig();
    await screen.form('openat');
    expect(screen.read).not.toContain('Why: openat');
    screen.press('?');
    expect(screen.read).toContain('Why: openat');
    expect(screen.read).toContain('could do it, but fmod_ret comes first');
    await screen.press('?', 'enter').settle();
    expect(screen.read).not.toContain('Why: openat');
    expect(screen.press('d').read).toContain('Why: openat');
  });

  it('is closed by the key that opened it, and its dry run ends', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.press('enter').settle();
    await screen.press('f8').settle();
    expect(screen.panel).toBeNull();
    expect(screen.door.faults).toMatchObject([{ dryRun: true, state: 'ended' }]);
  });

  it('names each fault that has ended with its reason', async () => {
    const screen = rig({ size: { width: 120, height: 50 } });
    await screen.form('openat', { for: '10s' });
    await screen.arm();
    await screen.settle(10_000);
    screen.door.passTime();
    await screen.settle();
    expect(screen.read).toMatch(/#2 openat ENOENT \S+ time .*#1 openat ENOENT \S+ ended/);
  });
});

describe('stopping everything', () => {
  const contexts: readonly (readonly [string, readonly string[], string])[] = [
    ['the panes', ['esc'], 'X'], ['a zoomed pane', ['esc', 'z'], 'X'], ['a paused screen', ['esc', 'p'], 'X'], ['help', ['esc', '?'], 'X'], ['details', ['esc', 'd'], 'X'], ['the sort menu', ['esc', 's'], 'X'], ['the list of faults', [], 'X'],
    ['the panes', ['esc'], 'f9'], ['help', ['esc', '?'], 'f9'], ['details', ['esc', 'd'], 'ctrl-x'], ['a paused screen', ['esc', 'p'], 'f9'],
    ['a filter being typed', ['esc', '/', 'X'], 'f9'], ['a filter being typed', ['esc', '/', 'X'], 'ctrl-x'], ['the namespace picker', ['esc', 'n', 'X'], 'f9'],
    ['a field', ['tab', 'X'], 'f9'], ['a field', ['tab', 'X'], 'ctrl-x'],
  ];
  it.each(contexts)('from %s (%j) with %s', async (_where, keys, key) => {
    const screen = rig({ size: { width: 100, height: 30 } });
    await screen.form('openat');
    await screen.arm();
    screen.press(...keys);
    expect(screen.lines[1]).toMatch(/^ CHAOS openat/);
    expect(screen.lines[1]).toContain(key === 'X' ? 'X stops all' : keys.at(-1) === 'X' ? 'F9 or ^X stops all' : 'X stops all');
    expect(screen.door.faults[0]).toMatchObject({ state: 'armed' });
    await screen.press(key).settle();
    expect(screen.door.faults.every(({ state, endReason, dryRun }) => state === 'ended' && (dryRun || endReason === 'panic-key'))).toBe(true);
    expect(screen.screen).not.toContain('CHAOS ');
  });

  it('also ends what was being armed at that moment', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.press('enter').settle();
    const release = screen.door.hold();
    await screen.press('a').type('yes').press('enter').settle();
    screen.press('X');
    release();
    await screen.settle();
    expect(screen.door.faults.every(({ state }) => state === 'ended')).toBe(true);
    expect(screen.panel?.stage.kind).toBe('form');
  });

  it('tells when it could not', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.arm();
    screen.press('esc');
    screen.door.vanish('killed');
    await screen.press('X').settle();
    expect(screen.state.message).toMatchObject({ role: 'bad', text: expect.stringMatching(/^not stopped: .*gone/) });
  });
});

describe('leaving', () => {
  it('is asked about once while a fault is armed, and ends it', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.arm();
    screen.press('esc', 'q');
    expect(screen.left).toEqual([]);
    expect(screen.lines.at(-1)).toContain('a fault is armed: q again ends the fault and quits');
    await screen.press('q').settle();
    expect(screen.left).toEqual([0]);
    expect(screen.door.faults.every(({ state }) => state === 'ended')).toBe(true);
  });

  it('is asked about anew after another key, and after a while', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.arm();
    screen.press('esc', 'q', 'j', 'q');
    expect(screen.left).toEqual([]);
    await screen.settle(7000);
    screen.press('q');
    expect(screen.left).toEqual([]);
    screen.press('ctrl-c');
    expect(screen.left).toEqual([130]);
  });

  it('shows the question also where a filter is being typed', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.arm();
    screen.press('esc', '/', 'ctrl-c');
    expect(screen.lines.at(-1)).toContain('Ctrl-C again ends the fault and quits');
  });

  it('needs no question for a dry run', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.press('enter').settle();
    screen.press('ctrl-c');
    expect(screen.left).toEqual([130]);
  });
});

describe('a screen that may not', () => {
  it.each([['read-only', { options: { readOnly: true } }], ['without a door', { doorless: true }]])('knows nothing of faults when %s', async (_what, options) => {
    const screen = rig({ ...options, size: { width: 200, height: 60 } });
    for (const key of ['c', 'f8', 'X', 'f9', 'ctrl-x']) {
      screen.press(key);
      expect(screen.state.chaos).toBeNull();
    }
    expect(screen.lines.at(-1)).not.toMatch(/Chaos|Stop/);
    screen.press('?');
    expect(screen.screen).not.toMatch(/chaos panel|end every fault/);
    expect(screen.door.asked).toEqual([]);
  });

  it('still shows faults that a Frame tells of, and no key', () => {
    const screen = rig({ doorless: true });
    const frame = screen.source.emit();
    screen.source.emit({ ...frame, chaos: [{ id: 1, rule: 'openat EIO', target: '1', targets: ['1'], targetName: 'shop/web-1', backend: 'lsm', hits: 3, remainingMs: 61_000, remainingHits: 7, dryRun: false, state: 'armed' }] });
    expect(screen.lines[1]).toMatch(/^ CHAOS openat EIO on shop\/web-1 1m01s left 3\/10 hits +$/);
    screen.source.emit({ ...frame, chaos: [{ id: 1, rule: 'openat EIO', target: '1', targets: ['1'], targetName: 'shop/web-1', backend: 'lsm', hits: 10, remainingMs: 0, remainingHits: 0, dryRun: false, state: 'ended' }] });
    expect(screen.screen).not.toContain('CHAOS');
    expect(screen.lines[1]).toContain('syscalls');
  });
});

describe('a screen with a door', () => {
  const others = { id: 99, rule: 'read EIO', target: '1', targets: ['1'], targetName: 'shop/web-1', backend: 'lsm', hits: 3, remainingMs: 61_000, remainingHits: 7, dryRun: false, state: 'armed' } as const;

  it('shows a fault that another has armed, without a key that would not end it', () => {
    const screen = rig();
    const frame = screen.source.emit();
    screen.source.emit({ ...frame, chaos: [others] });
    expect(screen.lines[1]).toMatch(/^ CHAOS read EIO on shop\/web-1 1m01s left 3\/10 hits +$/);
  });

  it('shows it beside its own, which its key ends', async () => {
    const screen = rig();
    await screen.form('openat', { error: 'ENOSPC' });
    await screen.arm();
    const frame = screen.source.emit();
    screen.source.emit({ ...frame, chaos: [others] });
    expect(screen.lines[1]).toMatch(/^ CHAOS openat ENOSPC .* \+1 more .*stops all $/);
  });

  it('believes it rather than a Frame about a fault that it knows', async () => {
    const screen = rig();
    await screen.form('openat');
    await screen.arm();
    const { id } = screen.door.faults.find(({ state }) => state === 'armed')!;
    screen.press('f9');
    await screen.settle();
    expect(screen.screen).not.toContain('CHAOS openat');
    const frame = screen.source.emit();
    screen.source.emit({ ...frame, chaos: [{ ...others, id }] });
    expect(screen.screen).not.toContain('CHAOS read');
  });
});

describe('the syscalls pane', () => {
  it('has a column of injected calls while something is armed', async () => {
    const screen = rig();
    screen.press('1');
    expect(screen.screen).not.toMatch(/ INJ /);
    await screen.form('openat');
    await screen.arm();
    screen.press('esc');
    expect(screen.screen).toMatch(/ INJ /);
    await screen.press('X').settle();
    expect(screen.screen).not.toMatch(/ INJ /);
  });
});

describe('a kernel that can little', () => {
  it('offers what it can, and says why not the rest', async () => {
    const screen = rig({ capabilities: STOCK });
    await screen.form('fsync');
    while (screen.panel?.field !== 'error') screen.press('tab');
    expect(screen.read).toContain('(EIO)');
    expect(screen.read).toContain('no error can be had here, only a delay or a signal');
    screen.type('EIO');
    await screen.settle();
    expect(screen.read).toContain('EIO cannot be had');
    screen.press('enter');
    await screen.settle();
    expect(screen.panel?.error).toMatch(/no errors from fsync/);
    expect(screen.door.faults).toEqual([]);
  });

  it('still has delays', async () => {
    const screen = rig({ capabilities: STOCK });
    await screen.form('fsync', { fault: 'delay', delay: '5ms' });
    await screen.arm();
    expect(screen.door.armed).toMatchObject([{ rule: { effect: { kind: 'delay', us: 5000 } } }]);
  });
});
