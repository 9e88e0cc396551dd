import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame, PaneState } from '../../src/frame/frame.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { History } from '../../src/ui/history/history.ts';
import type { State } from '../../src/ui/model.ts';
import { withPane } from '../../src/ui/model.ts';
import { drawPane } from '../../src/ui/panes/pane.ts';
import { drawScreen, penFor } from '../../src/ui/screen.ts';
import { update } from '../../src/ui/update.ts';
import { paneView } from '../../src/ui/view.ts';
import { anyFrame, hostile } from './arbitrary.ts';
import { PENS, expectCells, plain } from './cells.ts';
import { FakeNode, loadingFrame } from './fixtures.ts';
import { emptyState, liveState, press, shows, type, withRows } from './states.ts';

const text = (state: State) => drawScreen(state).map(plain);
const looks = fc.record({ symbols: fc.constantFrom('braille' as const, 'block' as const, 'ascii' as const), depth: fc.constantFrom(0 as const, 16 as const, 256 as const) });
const flags = fc.record({ zoomed: fc.boolean(), heatMap: fc.boolean(), totals: fc.boolean(), layout: fc.nat(2), focus: fc.constantFrom(...PANE_IDS) });

describe('every pane', () => {
  it('is exactly as large as asked, whatever the Frame holds', () => {
    fc.assert(fc.property(fc.array(anyFrame, { minLength: 1, maxLength: 3 }), looks, flags, fc.integer({ min: 20, max: 250 }), fc.integer({ min: 2, max: 60 }), fc.integer({ min: 0, max: 1 }), (frames, look, flags, width, height, pad) => {
      const history = new History();
      let state = emptyState({ ...look, ...flags, size: { width: Math.max(80, width), height: Math.max(24, height) } });
      for (const frame of frames) state = shows(state, history, frame);
      for (const id of PANE_IDS) expectCells(drawPane({ ...state, focus: id }, id, penFor(state), width, height, pad), width, height);
    }), { numRuns: 250 });
  }, 120_000);
});

describe('the whole screen', () => {
  it('is exactly as large as the terminal, with anything open on it', () => {
    const keys = fc.constantFrom([], ['?'], ['d'], ['5', 'd'], ['3', 'down', 'd'], ['s'], ['n'], ['/'], ['p'], ['?', 'G'], ['2', 'z', 'd'], ['down', 'enter', 'd', 'G']);
    fc.assert(fc.property(anyFrame, looks, flags, fc.integer({ min: 1, max: 250 }), fc.integer({ min: 1, max: 70 }), keys, hostile, (frame, look, flags, width, height, keys, typed) => {
      const history = new History();
      let state = press(shows(emptyState({ ...look, ...flags, size: { width, height } }), history, frame), ...keys);
      if (state.prompt !== null) state = type(state, typed);
      expectCells(drawScreen(state), width, height);
      expectCells(drawScreen({ ...state, message: { text: typed, role: 'bad', until: 1 }, ended: typed, scope: { label: typed, only: null, matches: () => true } }), width, height);
    }), { numRuns: 400 });
  }, 120_000);

  it('is the same for the same state', () => {
    const state = liveState();
    expect(drawScreen(state)).toEqual(drawScreen(state));
  });

  it('holds only ASCII where the terminal knows no more', () => {
    fc.assert(fc.property(anyFrame, fc.constantFrom([], ['?'], ['5', 'd'], ['s']), (frame, keys) => {
      const state = press(shows(emptyState({ symbols: 'ascii' }), new History(), frame), ...keys);
      for (const line of text(state)) expect(line).toMatch(/^[ -~]*$/);
    }), { numRuns: 100 });
  });

  it('has no colour at depth 0', () => {
    for (const keys of [[], ['?'], ['2', 'z'], ['5', 'd']]) {
      for (const line of drawScreen(press(liveState({ depth: 0 }), ...keys))) expect(line.match(/\x1b\[[\d;]*m/g) ?? []).not.toContainEqual(expect.stringMatching(/[349]\d/));
    }
  });
});

describe('before there are numbers', () => {
  it('says that it is loading, at once', () => {
    const lines = text(emptyState({ size: { width: 80, height: 24 } }));
    expect(lines.join('\n').match(/loading/g)).toHaveLength(5);
    expect(lines[0]).toMatch(/0\/6 probes/);
    expect(text(shows(emptyState(), new History(), loadingFrame())).join('\n').match(/loading \.\.\./g)).toHaveLength(5);
  });

  it('goes on with the probes that are up', () => {
    const frame = new FakeNode().next();
    const loading = { ...loadingFrame(), panes: { ...loadingFrame().panes, containers: frame.panes.containers } };
    const lines = text(shows(emptyState({ size: { width: 80, height: 24 } }), new History(), loading)).join('\n');
    expect(lines).toMatch(/1\/6 probes/);
    expect(lines).toMatch(/5 containers .* by CPU%[\s\S]*kube-system/);
  });
});

const withState = (frame: Frame, id: 'tcp' | 'syscalls' | 'opens', state: PaneState): Frame => ({ ...frame, panes: { ...frame.panes, [id]: { ...frame.panes[id], state, rows: state.status === 'ok' ? frame.panes[id].rows : [] } } }) as Frame;

describe('a pane that is not what it could be', () => {
  const node = new FakeNode();
  const screen = (frame: Frame, more: Partial<State> = {}) => text(shows(emptyState({ size: { width: 80, height: 24 }, ...more }), new History(), frame));

  it('says why it failed, wrapped to read, in the pane and in the header', () => {
    const frame = withState(node.next(), 'tcp', { status: 'error', reason: 'cannot attach inet_sock_set_state: EPERM: run as root or grant CAP_BPF', level: null });
    const lines = screen(frame);
    const joined = lines.map((line) => line.slice(41, 79).trim()).join(' ');
    expect(joined).toContain('failed: cannot attach inet_sock_set_state: EPERM: run as root or grant CAP_BPF');
    expect(lines[0]).toContain('5/6 probes');
    expect(screen(frame, { size: { width: 160, height: 45 } })[0]).toContain('(tcp connects failed)');
  });

  it('ends a reason that finds no room with an ellipsis; zoomed it is all there', () => {
    const reason = 'the verifier refused it: '.repeat(12).trim();
    const frame = withState(node.next(), 'tcp', { status: 'error', reason, level: null });
    expect(screen(frame).join('\n')).toMatch(/…\s*│\n╰/);
    expect(screen(frame, { zoomed: true, focus: 'tcp' }).slice(2, -2).map((line) => line.slice(1, 79).trim()).join(' ').trim()).toBe(`failed: ${reason}`);
  });

  it('says how to turn it on when it is off', () => {
    const off = withState(node.next(), 'syscalls', { status: 'off', reason: 'turned off', level: null });
    expect(screen(off).join('\n')).toContain('L turns it on');
    expect(screen(off, { readOnly: true }).join('\n')).not.toContain('L turns it on');
  });

  it('shows a lower level and why', () => {
    const frame = withState(node.next(), 'syscalls', { status: 'ok', reason: 'fell back: cost 4 % of a CPU', level: 'count' });
    const lines = screen(frame);
    expect(lines[1]).toContain('count');
    expect(lines.join('\n')).toContain('fell back: cost 4 % of a CPU');
    const sampled = withState(node.next(), 'syscalls', { status: 'ok', reason: null, level: 'sampled' });
    const rows = sampled.panes.syscalls.rows.map((row) => ({ ...row, latency: row.latency && { ...row.latency, sampled: 16 } }));
    expect(screen(withRows(sampled, 'syscalls', rows))[1]).toContain('1/16');
  });

  it('shows losses where they happened and in the header, as long as they matter', () => {
    const history = new History();
    const lossy = node.next();
    let state = shows(emptyState({ size: { width: 80, height: 24 } }), history, withRows(lossy, 'opens', lossy.panes.opens.rows, { loss: { ...lossy.panes.opens.loss, lostRing: 1234 } }));
    expect(text(state)[0]).toContain('lost 1.2k!');
    expect(text(state).join('\n')).toMatch(/3 opens.*lost 1\.2k!/);
    state = shows(state, history, node.next());
    expect(text(state)[0]).toContain('lost 1.2k!');
    expect(text(state).join('\n')).not.toMatch(/3 opens.*lost/);
    history.reset();
    state = update(state, { type: 'frame', shown: { ...state.shown! }, now: 0 }).state;
    expect(text(state)[0]).toContain('lost 0');
  });
});

describe('an empty pane', () => {
  const bare = (pane: 'opens' | 'syscalls', more: Partial<State> = {}) => {
    const frame = new FakeNode().next();
    return shows(emptyState({ size: { width: 80, height: 24 }, ...more }), new History(), withRows(frame, pane, []));
  };

  it('says what there was none of', () => {
    expect(text(bare('opens')).join('\n')).toContain('no file opens yet');
    expect(text(bare('syscalls')).join('\n')).toContain('no system calls in this interval');
  });

  it('says what hides the rows and how to see them', () => {
    const filtered = press(type(press(liveState({ size: { width: 80, height: 24 } }), '/'), 'nosuchcall'), 'enter');
    expect(text(filtered).join('\n')).toMatch(/nothing matches \/nosuchcall[\s\S]*15 rows hidden; Esc shows all/);
    const frame = new FakeNode().next();
    const clean = withRows(frame, 'opens', frame.panes.opens.rows.filter((row) => row.error === null));
    expect(text(press(shows(emptyState(), new History(), clean), '3', '!')).join('\n')).toMatch(/no errors[\s\S]*! shows all/);
  });
});

describe('the header', () => {
  const header = (state: State) => text(state)[0] ?? '';

  it('keeps what matters most on a narrow screen', () => {
    const state = liveState({ travel: { index: 4, first: 0, end: 8, time: 0, firstTime: 0, lastTime: 3000, playing: false, speed: 1, gaps: [], settled: true } });
    for (const width of [40, 80, 120, 200]) {
      const line = header({ ...state, size: { width, height: 40 } });
      expect(line).toContain('PAUSED +3');
      expect(line).toContain('worker-1');
      if (width >= 80) expect(line).toMatch(/lost 0.*self/);
      if (width >= 120) expect(line).toMatch(/linux 6\.1\.0-18-amd64 .* 6\/6 probes/);
    }
  });

  it('shows scope, interval, own cost and time', () => {
    const state = press(liveState({ size: { width: 160, height: 45 } }), '5', 'down', 'enter', '+');
    const label = state.scope!.crumbs!.join(' › ');
    expect(header(state)).toContain(`› ${label}`);
    expect(header(state)).toMatch(/every 2s {2}lost 0 {2}self \d+\.\d\+0\.6% {2}96M {2}\d\d:\d\d:\d\d/);
  });

  it('raises the alarm while faults are injected', () => {
    const frame = { ...new FakeNode().next(), chaos: [{ id: 1, rule: 'r', target: '1', targets: ['1'], targetName: 'shop/web-1', backend: 'b', hits: 0, remainingMs: 1, remainingHits: 1, dryRun: false, state: 'armed' as const }] };
    expect(plain(drawScreen(shows(emptyState(), new History(), frame))[1] ?? '')).toMatch(/^ CHAOS r on shop\/web-1 1s left 0\/1 hits\s+$/);
  });
});

const chosen = (state: State, container: string) => withPane(state, 'containers', { selected: paneView(state, 'containers')!.rows.find(({ members }) => members.includes(container))!.key });

describe('details', () => {
  it('hold every column with its meaning, and who the container is', () => {
    const joined = text(press(chosen(press(liveState({ size: { width: 100, height: 200 } }), '5'), '5000'), 'd')).join('\n');
    for (const word of ['NAMESPACE', 'CPU time; 100 is one CPU', 'pid namespace', '4026532000', 'nodename', 'cgroup', 'named by', 'registry.local/', 'app=']) expect(joined).toContain(word);
  });

  it('say why a name is missing', () => {
    const state = press(chosen(press(liveState({ size: { width: 100, height: 200 } }), '5'), '99'), 'd');
    expect(text(state).join('\n').replace(/[│\s]+/g, ' ')).toContain('no OCI bundle and the CRI socket did not answer: run as root on the host');
  });

  it('show latencies, errors and shares of a merged call', () => {
    const joined = text(press(liveState({ size: { width: 160, height: 60 } }), 'down', 'd')).join('\n');
    for (const word of ['Latency', 'p50', 'mean', 'Per second by container', 'shop/web-']) expect(joined).toContain(word);
  });
});

describe('pens', () => {
  it('draw the same text in every depth', () => {
    const state = liveState();
    const [plainLines, sixteen] = [0, 16].map((depth) => drawScreen({ ...state, depth: depth as 0 | 16 }).map(plain));
    // Marks and frames stand in for colours; words are the same.
    const words = (lines: readonly string[] = []) => lines.join(' ').match(/[A-Za-z]{3,}/g);
    expect(words(sixteen)).toEqual(words(plainLines));
    expect(PENS.length).toBe(3);
  });
});
