import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { KEYMAP } from '../../src/ui/keymap.ts';
import { History } from '../../src/ui/history/history.ts';
import type { State } from '../../src/ui/model.ts';
import { paneOf } from '../../src/ui/rows.ts';
import { drawScreen } from '../../src/ui/screen.ts';
import { update } from '../../src/ui/update.ts';
import { paneView, scopeOf } from '../../src/ui/view.ts';
import { expectCells } from './cells.ts';
import { FakeNode } from './fixtures.ts';
import { effectsOf, emptyState, inputOf, liveState, press, shows, type, withRows } from './states.ts';

const keysOf = (state: State, id: Parameters<typeof paneView>[1]) => paneView(state, id)!.rows.map((row) => row.key);
const selected = (state: State, id = state.focus) => state.panes[id].selected;

describe('focus and zoom', () => {
  it('goes round with Tab and by number', () => {
    expect(press(emptyState(), 'tab').focus).toBe('runqueue');
    expect(press(emptyState(), 'shift-tab').focus).toBe('processes');
    const round = PANE_IDS.map((_, i) => press(emptyState(), ...Array.from({ length: i }, () => 'tab')).focus);
    expect(round).toEqual(PANE_IDS);
    expect(press(emptyState(), ...PANE_IDS.map(() => 'tab')).focus).toBe('syscalls');
    expect(press(emptyState(), '4').focus).toBe('tcp');
    expect(press(emptyState(), '6').focus).toBe('processes');
    expect(press(emptyState(), '9').focus).toBe('syscalls');
  });

  it('zooms with z and e, and keeps zooming while the focus moves', () => {
    expect(press(emptyState(), 'z').zoomed).toBe(true);
    expect(press(emptyState(), 'e', 'z').zoomed).toBe(false);
    expect(press(emptyState(), 'z', '3')).toMatchObject({ zoomed: true, focus: 'opens' });
  });

  it('goes through the layouts and says their names', () => {
    const state = press(emptyState(), 'v');
    expect(state.layout).toBe(1);
    expect(state.message?.text).toBe('layout: containers first');
    expect(press(state, 'v', 'v').layout).toBe(0);
  });
});

describe('the selection', () => {
  const state = press(liveState(), '5');

  it('moves by row, page, half page and to the ends, and stops there', () => {
    const keys = keysOf(state, 'containers');
    expect(selected(press(state, 'down'))).toBe(keys[1]);
    expect(selected(press(state, 'j', 'j', 'k'))).toBe(keys[1]);
    expect(selected(press(state, 'G'))).toBe(keys.at(-1));
    expect(selected(press(state, 'end', 'down'))).toBe(keys.at(-1));
    expect(selected(press(state, 'pagedown', 'pageup'))).toBe(keys[0]);
    expect(selected(press(state, 'ctrl-d', 'ctrl-d', 'ctrl-u'))).toBe(keys[selectedIndex(press(state, 'ctrl-d'))]);
    expect(selected(press(state, 'G', 'g'))).toBeNull();
  });

  const selectedIndex = (one: State) => paneView(one, one.focus)!.selected;

  it('follows the row, not its place', () => {
    const node = new FakeNode({ seed: 4 }), history = new History();
    let one = press(shows(emptyState(), history, node.next()), '5', 'down', 'down');
    const key = selected(one);
    for (let i = 0; i < 20; i++) {
      one = shows(one, history, node.next());
      expect(paneView(one, 'containers')!.rows[selectedIndex(one)]?.key).toBe(key);
    }
  });

  it('follows the first row, whichever it is, while nothing was chosen', () => {
    expect(selected(state)).toBeNull();
    expect(selectedIndex(state)).toBe(0);
  });

  it('stays in place when its row goes, and returns when the row does', () => {
    const node = new FakeNode(), history = new History();
    const frame = node.next();
    let one = press(shows(emptyState(), history, frame), '5', 'down', 'down', 'down');
    const key = selected(one)!;
    one = shows(one, history, withRows(node.next(), 'containers', frame.panes.containers.rows.filter((row) => row.container !== key)));
    expect(selectedIndex(one)).toBe(3);
    one = shows(one, history, node.next());
    expect(paneView(one, 'containers')!.rows[selectedIndex(one)]?.key).toBe(key);
  });

  it('marks nothing in a stream before the first move', () => {
    const opens = press(liveState(), '3');
    expect(press(opens, 'enter').message?.text).toMatch(/no row is chosen/);
    expect(selected(press(opens, 'down'))).toBe(keysOf(opens, 'opens')[0]);
    expect(selected(press(opens, 'down', 'down'))).toBe(keysOf(opens, 'opens')[1]);
  });

  it('scrolls columns as far as there are any', () => {
    const narrow = press(liveState({ size: { width: 80, height: 24 } }), '5');
    expect(press(narrow, 'right').panes.containers.columnOffset).toBe(1);
    expect(press(narrow, 'right', 'left', 'left').panes.containers.columnOffset).toBe(0);
    const far = press(narrow, ...Array.from({ length: 50 }, () => 'right'));
    expect(press(far, 'left').panes.containers.columnOffset).toBe(far.panes.containers.columnOffset - 1);
    expect(press(liveState({ size: { width: 300, height: 60 } }), '5', 'l').panes.containers.columnOffset).toBe(0);
  });
});

describe('scope', () => {
  it('is the container of the row, for all panes, and Esc leaves it', () => {
    const state = press(liveState(), '5', 'down', 'enter');
    const before = paneView(liveState(), 'containers')!;
    const chosen = before.context.container(before.rows[1]!.row.container);
    for (const id of PANE_IDS) {
      const view = paneView(state, id)!;
      if (paneOf(id).kind === 'table') expect(view.rows.length).toBeGreaterThan(0);
      for (const { row } of view.rows) expect(view.context.container(row.container).containerId).toBe(chosen.containerId);
    }
    expect(press(state, '1', 'enter').message?.text).toMatch(/already/);
    expect(press(state, 'esc').scope).toBeNull();
  });

  it('takes a merged call by container first', () => {
    const first = press(liveState(), 'down', 'enter');
    expect(first.breakdown).not.toBeNull();
    expect(first.scope).toBeNull();
    const second = press(first, 'down', 'enter');
    expect(second.scope).not.toBeNull();
    expect(second.breakdown).toBeNull();
    expect(press(first, 'esc').breakdown).toBeNull();
  });

  it('opens the run queue where it shows no rows', () => {
    const state = press(liveState({ size: { width: 80, height: 24 } }), '2', 'enter');
    expect(state.zoomed).toBe(true);
    expect(state.scope).toBeNull();
    expect(press(state, 'enter').scope).not.toBeNull();
  });

  it('is a namespace from the list', () => {
    const state = press(liveState(), 'n');
    expect(state.menu).toEqual({ kind: 'namespace', index: 0, text: '' });
    const chosen = press(state, 'down', 'enter');
    expect(chosen.scope?.label).toBe('ns:default');
    expect(chosen.menu).toBeNull();
    expect(press(chosen, 'n', 'up', 'enter').scope).toBeNull();
    const bare = liveState({}, { node: new FakeNode({ containers: 0 }) });
    const noNames = shows(emptyState(), new History(), { ...bare.shown!.frame, containers: {} });
    expect(press(noNames, 'n').message?.text).toMatch(/no Kubernetes namespaces/);
  });

  it('cannot leave the one of the command line', () => {
    const base = { label: '-n shop', only: null, matches: (_key: string, info: { namespace: string | null }) => info.namespace === 'shop' };
    const state = press(liveState({ baseScope: base }), 'esc', 'esc');
    expect(scopeOf(state)).toBe(base);
    expect(state.message?.text).toMatch(/q quits/);
  });
});

describe('Esc', () => {
  it('takes one step back at a time and never leaves', () => {
    let state = press(type(press(liveState(), 'z', '5', 'down', 'enter', '/'), 'e'), 'enter', 'd');
    const steps: string[] = [];
    for (let i = 0; i < 8; i++) {
      const { effects } = update(state, inputOf('esc'));
      expect(effects).toEqual([]);
      const next = press(state, 'esc');
      steps.push(next.overlay !== state.overlay ? 'overlay' : next.panes !== state.panes ? 'filter' : next.scope !== state.scope ? 'scope' : next.zoomed !== state.zoomed ? 'zoom' : 'nothing');
      state = next;
    }
    expect(steps.slice(0, 5)).toEqual(['overlay', 'filter', 'scope', 'zoom', 'nothing']);
  });
});

describe('the filter line', () => {
  it('takes effect while it is typed, and Esc brings the old one back', () => {
    const typed = type(press(liveState(), '/'), 'read');
    expect(paneView(typed, 'syscalls')!.rows.length).toBe(1);
    expect(press(typed, 'esc').panes.syscalls.filter).toBeNull();
    const kept = press(typed, 'enter');
    expect(kept.prompt).toBeNull();
    expect(kept.panes.syscalls.filter?.text).toBe('read');
    const again = type(press(kept, '/'), 'x');
    expect(again.prompt?.text).toBe('readx');
    expect(press(again, 'esc').panes.syscalls.filter?.text).toBe('read');
  });

  it('keeps what was right while something wrong is typed, and says why', () => {
    const state = type(press(liveState(), '/'), 'rate>100');
    const wrong = type(state, 'x');
    expect(wrong.prompt?.error).toMatch(/unknown unit x/);
    expect(wrong.panes.syscalls.filter?.text).toBe('rate>100');
    expect(press(wrong, 'enter').prompt).not.toBeNull();
    expect(press(wrong, 'backspace').prompt?.error).toBeNull();
  });

  it('takes commands as text', () => {
    const state = type(press(liveState(), '/'), 'qz?5');
    expect(state.prompt?.text).toBe('qz?5');
    expect(state.zoomed).toBe(false);
    expect(effectsOf(state, 'q')).toEqual([]);
    expect(effectsOf(state, 'ctrl-c')).toEqual([{ kind: 'quit', code: 130 }]);
  });

  it('is a line to edit', () => {
    const state = type(press(liveState(), '/'), 'abc def');
    const text = (...keys: string[]) => press(state, ...keys).prompt?.text;
    expect(text('ctrl-w')).toBe('abc ');
    expect(text('ctrl-u')).toBe('');
    expect(text('home', 'delete')).toBe('bc def');
    expect(text('left', 'left', 'left', 'x')).toBe('abc xdef');
    expect(text('ctrl-a', 'ctrl-k')).toBe('');
    expect(text('home', 'backspace')).toBe('abc def');
    expect(press(liveState(), '/', 'backspace').prompt).toBeNull();
  });

  it('never cuts a character in two', () => {
    const state = type(press(liveState(), '/'), 'a😀b');
    expect(press(state, 'left', 'backspace').prompt?.text).toBe('ab');
    expect(press(state, 'left', 'left', 'delete').prompt?.text).toBe('ab');
  });

  it('takes pasted text as text, without what a terminal obeys', () => {
    const state = update(press(liveState(), '/'), { type: 'input', event: { kind: 'paste', text: 'read\n\x1b[2J' }, now: 0 }).state;
    expect(state.prompt?.text).toBe('read [2J');
    expect(update(liveState(), { type: 'input', event: { kind: 'paste', text: 'q' }, now: 0 }).effects).toEqual([]);
    const long = update(press(liveState(), '/'), { type: 'input', event: { kind: 'paste', text: 'x'.repeat(5000) }, now: 0 }).state;
    expect(long.prompt?.text.length).toBe(200);
  });
});

describe('sorting', () => {
  it('goes to the next column and back, largest first, names from A', () => {
    expect(press(liveState(), '>').panes.syscalls.sort).toEqual({ column: 'count', descending: true });
    expect(press(liveState(), '<').panes.syscalls.sort).toEqual({ column: 'syscall', descending: false });
    expect(press(liveState(), 'r').panes.syscalls.sort).toEqual({ column: 'ratePerSec', descending: false });
  });

  it('is chosen from a list', () => {
    const state = press(liveState(), 's');
    expect(state.menu).toEqual({ kind: 'sort', pane: 'syscalls', index: 1 });
    expect(press(state, 'up', 'enter').panes.syscalls.sort.column).toBe('syscall');
    expect(press(state, 'end', 'enter').panes.syscalls.sort.column).toBe('container');
    expect(press(state, 'esc').menu).toBeNull();
    expect(press(state, 'down', 'esc').panes.syscalls.sort.column).toBe('ratePerSec');
  });
});

describe('what is asked of others', () => {
  it.each([['q', 0], ['f10', 0], ['ctrl-c', 130]] as const)('%s leaves with %i', (key, code) => {
    expect(effectsOf(liveState(), key)).toEqual([{ kind: 'quit', code }]);
  });

  it('changes the interval in steps, within bounds', () => {
    expect(effectsOf(liveState(), '+')).toEqual([{ kind: 'interval', ms: 2000 }]);
    expect(effectsOf(liveState(), '+', '+', '-')).toEqual([{ kind: 'interval', ms: 2000 }]);
    expect(effectsOf(liveState({ intervalMs: 250 }), '-')).toEqual([]);
    expect(effectsOf(liveState({ intervalMs: 10_000 }), '+')).toEqual([]);
    expect(effectsOf(liveState({ intervalMs: 3000 }), '-')).toEqual([{ kind: 'interval', ms: 2000 }]);
  });

  it('goes through the levels, also faster than Frames come', () => {
    const levels = ['sampled', 'off', 'count', 'latency'];
    levels.forEach((level, i) => expect(effectsOf(liveState(), ...Array.from({ length: i + 1 }, () => 'L'))).toEqual([{ kind: 'level', pane: 'syscalls', level }]));
    expect(press(liveState(), 'L').message?.text).toMatch(/^syscalls: /);
    expect(effectsOf(liveState(), '5', 'L')).toEqual([]);
    expect(press(liveState(), '5', 'L').message?.text).toMatch(/only one level/);
  });

  it('pauses, saves, resets, redraws, suspends', () => {
    const state = liveState();
    expect(effectsOf(state, 'p')).toEqual([{ kind: 'travel', go: { kind: 'pause' } }]);
    expect(effectsOf(state, 'w')).toEqual([{ kind: 'save', frame: state.shown!.frame }]);
    expect(effectsOf(emptyState(), 'w')).toEqual([]);
    expect(effectsOf(state, '0')).toEqual([{ kind: 'reset' }]);
    expect(effectsOf(state, 'ctrl-l')).toEqual([{ kind: 'redraw' }]);
    expect(effectsOf(state, 'ctrl-z')).toEqual([{ kind: 'suspend' }]);
  });
});

describe('overlays', () => {
  it('open, scroll to their ends and close', () => {
    const help = press(liveState({ size: { width: 80, height: 24 } }), '?');
    expect(help.overlay?.kind).toBe('help');
    expect(press(help, 'down').overlay?.scroll).toBe(1);
    const end = press(help, 'G');
    expect(Number.isFinite(end.overlay?.scroll)).toBe(true);
    expect(press(end, 'down').overlay?.scroll).toBe(end.overlay?.scroll);
    expect(press(end, 'g').overlay?.scroll).toBe(0);
    for (const key of ['q', '?', 'esc', 'f1']) expect(press(help, key).overlay).toBeNull();
  });

  it('show the row\'s newest numbers, and the last ones when it is gone', () => {
    const node = new FakeNode(), history = new History();
    const frame = node.next();
    let state = press(shows(emptyState(), history, frame), '5', 'down', 'd');
    const key = state.overlay?.kind === 'details' ? state.overlay.key : '';
    const rowOf = (one: State) => (one.overlay?.kind === 'details' ? one.overlay.row : null);
    const next = node.next();
    state = shows(state, history, next);
    expect(rowOf(state)).toBe(next.panes.containers.rows.find((row) => row.container === key));
    const last = rowOf(state);
    state = shows(state, history, withRows(node.next(), 'containers', []));
    expect(rowOf(state)).toBe(last);
  });
});

describe('messages', () => {
  it('go with the next key, or by themselves', () => {
    const state = update(liveState(), { type: 'message', text: 'saved x', role: 'ok', now: 1000 }).state;
    expect(state.message?.text).toBe('saved x');
    expect(press(state, 'down').message).toBeNull();
    const node = new FakeNode(), history = new History();
    expect(shows(state, history, node.next(), 2000).message).not.toBeNull();
    expect(shows(state, history, node.next(), 60_000).message).toBeNull();
  });
});

describe('any keys at all', () => {
  it('never throw and always leave a screen of the right size', () => {
    const names = [...new Set(KEYMAP.flatMap((binding) => binding.keys)), 'x', '9', 'delete', 'backspace', 'alt-x'].filter((key) => key !== 'w');
    const sizes = fc.constantFrom({ width: 80, height: 24 }, { width: 160, height: 45 }, { width: 40, height: 10 }, { width: 250, height: 70 });
    const base = liveState({}, { ticks: 8 });
    const node = new FakeNode({ seed: 9 });
    fc.assert(fc.property(sizes, fc.array(fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.constant('FRAME') }), { maxLength: 40 }), (size, keys) => {
      let state: State = { ...base, size };
      const history = new History();
      for (const key of keys) state = key === 'FRAME' ? shows(state, history, node.next()) : press(state, key);
      expectCells(drawScreen(state), size.width, size.height);
    }), { numRuns: 150 });
  }, 120_000);
});
