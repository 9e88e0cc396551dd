import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confirmationFor } from '../../../src/chaos/confirmations.ts';
import type { FaultStatus, Plan } from '../../../src/chaos/door.ts';
import { explainRule } from '../../../src/chaos/explain.ts';
import type { Rule } from '../../../src/chaos/rule.ts';
import { selectForRule } from '../../../src/chaos/select.ts';
import type { Effect } from '../../../src/ui/effects.ts';
import type { State } from '../../../src/ui/model.ts';
import { toBeTyped } from '../../../src/ui/chaos/panel.ts';
import { told } from '../../../src/ui/chaos/told.ts';
import { initialChaos, type Panel, type ToldHit } from '../../../src/ui/chaos/model.ts';
import { drawScreen } from '../../../src/ui/screen.ts';
import { update, type Action } from '../../../src/ui/update.ts';
import { FULL, STOCK } from '../../chaos/capabilities-fixture.ts';
import { ruleOf } from '../../chaos/arbitrary.ts';
import { anyFrame, hostile } from '../arbitrary.ts';
import { expectCells, plain } from '../cells.ts';
import { History } from '../../../src/ui/history/history.ts';
import { effectsOf, inputOf, liveState, press, shows, type } from '../states.ts';
import { POD, TARGET } from './rig.ts';

const PERMITS = { expert: false, allowSystem: false };

/** A live screen that may arm faults. */
function screen(more: Partial<State> = {}): State {
  const state = liveState(more);
  return { ...state, chaos: { ...initialChaos(PERMITS, 0), capabilities: FULL } };
}

const panelOf = (state: State): Panel => state.chaos!.panel!;
const info = Object.values(liveState().shown!.frame.containers).find(({ pod }) => pod === POD)!;

const planOf = (rule: Rule): Plan => ({
  rule, text: explainRule(rule), targets: [{ key: '1', cgroup: info.cgroup, name: TARGET }], selections: selectForRule(rule, FULL), refusals: [], warnings: [],
  confirmation: confirmationFor(rule, [{ key: '1', info, tasks: [] }], PERMITS),
});

const faultOf = (id: number, rule: Rule, more: Partial<FaultStatus> = {}): FaultStatus => ({
  id, auditId: `a${id}`, rule, text: explainRule(rule), targetName: TARGET, cgroups: ['1'], backends: ['fmod_ret'], dryRun: false, state: 'armed', armedAt: 0, deadline: 60_000, endedAt: null, endReason: null, endDetail: null,
  matched: 0, hits: 0, acted: 0, missed: 0, unreadable: 0, throttled: 0, lost: 0, ...more,
});

const hitOf = (time: number, pid: number, more: Partial<ToldHit['hit']> = {}): ToldHit => ({ fault: 1, hit: {
  time, cgroup: '1', n: 1, number: 1, abi: 'x86_64', nr: 257, syscall: 'openat', effect: 'error', result: -28, given: 'ENOSPC', heldUs: 3, acted: true, dryRun: false, pid, tid: pid, nsPid: 1, uid: 0, comm: 'nginx', path: '/x', backend: 'fmod_ret', ...more,
} });

describe('opening the panel', () => {
  it('takes the call of a syscalls row, and its target when it is of one container', () => {
    expect(panelOf(press(screen(), '1', 'c')).form).toMatchObject({ target: '', call: 'read' });
    const apart = press(screen(), '1', 'u', 'down', 'up', 'c');
    expect(panelOf(apart).form.target).toMatch(/\//);
    expect(panelOf(apart)).toMatchObject({ field: 'fault', form: { call: expect.stringMatching(/\w/) } });
  });

  it('takes the container of any other row, and the pod where pods are put together', () => {
    const row = press(screen(), '5', 'down', 'c');
    expect(panelOf(row).form.target.split('/')).toHaveLength(3);
    expect(panelOf(row).field).toBe('call');
    const pods = press(screen(), '5', 'u', 'down', 'c');
    expect(panelOf(pods).form.target.split('/')).toHaveLength(2);
    expect(panelOf(press(screen(), '5', 'u', 'u', 'u', 'c')).form.target).toBe('');
    expect(panelOf(press(screen(), '6', 'down', 'c')).form.target).not.toBe('');
  });

  it('asks once what the kernel can', () => {
    const unknown = { ...screen(), chaos: initialChaos(PERMITS, 0) };
    expect(effectsOf(unknown, 'c').map(({ kind }) => kind)).toEqual(['chaosCapabilities', 'chaosPlan']);
    expect(effectsOf(screen(), 'f8').map(({ kind }) => kind)).toEqual(['chaosPlan']);
  });

  it('chooses a likely error that can be had once the kernel is known, but never over one that was typed', () => {
    const unknown = { ...screen(), chaos: initialChaos(PERMITS, 0) };
    const closed: Action = { type: 'chaosCapabilities', answer: { capabilities: { ...STOCK, backends: FULL.backends, injectable: new Set() } } };
    const opened = type(press(unknown, '5', 'down', 'c'), 'fsync');
    expect(panelOf(opened).form.error).toBe('EIO');
    expect(panelOf(update(opened, closed).state).form.error).toBe('');
    const own = type(press(opened, 'tab', 'tab'), 'ENOSPC');
    expect(panelOf(update(own, closed).state).form.error).toBe('ENOSPC');
  });
});

describe('fields', () => {
  const open = (): State => press(screen(), '5', 'down', 'c');

  it('take letters that are commands elsewhere, and the first one replaces what stood there', () => {
    expect(panelOf(type(open(), 'qXcx')).form.call).toBe('qXcx');
    expect(panelOf(type(press(type(open(), 'read'), 'tab', 'shift-tab'), 'w')).form.call).toBe('w');
    expect(panelOf(press(type(open(), 'reads'), 'backspace')).form.call).toBe('read');
    expect(panelOf(press(type(open(), 'read'), 'ctrl-u')).form.call).toBe('');
  });

  it('are gone through by Tab and the arrows, round and round', () => {
    const start = type(open(), 'openat');
    const seen = new Set<string>();
    let state = start;
    do {
      state = press(state, 'tab');
      seen.add(panelOf(state).field);
    } while (panelOf(state).field !== 'call');
    expect([...seen]).toEqual(['fault', 'error', 'chance', 'skip', 'every', 'hits', 'for', 'path', 'comm', 'target', 'call']);
    expect(panelOf(press(start, 'down', 'up')).field).toBe('call');
  });

  it('are completed when nothing else begins like it, and left alone otherwise', () => {
    expect(panelOf(press(type(press(open(), 'tab'), 'de'), 'tab')).form.fault).toBe('delay');
    expect(panelOf(press(type(open(), 'opena'), 'tab')).form.call).toBe('opena');
    expect(panelOf(press(type(open(), 'epoll_w'), 'tab')).form.call).toBe('epoll_w');
    expect(panelOf(press(type(open(), 'getrando'), 'tab')).form.call).toBe('getrandom');
  });

  it('go through what can be had with left and right only', () => {
    const stock = { ...open(), chaos: { ...open().chaos!, capabilities: { ...STOCK, cgroupAnyErrno: false } } };
    const field = press(type(stock, 'connect'), 'tab', 'tab');
    const seen = new Set<string>();
    let state = field;
    for (let i = 0; i < 30; i++) {
      state = press(state, 'right');
      seen.add(panelOf(state).form.error);
    }
    expect(seen.size).toBeGreaterThan(2);
    expect(panelOf(press(press(open(), 'tab'), 'right')).form.fault).toBe('delay');
    expect(panelOf(press(press(open(), 'tab'), 'left')).form.fault).toBe('signal');
  });

  it('take a paste without its line breaks', () => {
    const pasted = update(open(), { type: 'input', event: { kind: 'paste', text: 'open\nat\x1b' }, now: 0 }).state;
    expect(panelOf(pasted).form.call).toBe('openat');
  });

  it('ask the door about every right form, and about no wrong one', () => {
    expect(effectsOf(type(open(), 'opena'), 't')).toMatchObject([{ kind: 'chaosPlan', rule: { syscalls: ['openat'] } }]);
    expect(effectsOf(type(open(), 'ope'), 'n', 'n')).toMatchObject([{ kind: 'chaosPlan', rule: null }]);
  });

  it('are not left by Enter while one is wrong: the first wrong one has the keys then', () => {
    const wrong = type(press(type(open(), 'openat'), 'tab', 'tab', 'tab'), 'often');
    const state = press(wrong, 'tab', 'enter');
    expect(panelOf(state)).toMatchObject({ field: 'chance', stage: { kind: 'form' } });
    expect(effectsOf(wrong, 'tab', 'enter').some(({ kind }) => kind === 'chaosDryRun')).toBe(false);
  });
});

describe('what is told of hits', () => {
  const chaos = initialChaos(PERMITS, 0);
  const rule = ruleOf({ syscalls: ['openat'], error: 'ENOSPC' });

  it('counts a call again by the same process within a second as another try', () => {
    const after = told(chaos, [faultOf(1, rule)], [hitOf(0, 1), hitOf(900, 1), hitOf(1000, 2), hitOf(2100, 1), hitOf(2200, 1, { nr: 3 })], 2200);
    expect(after.retries.counts.get(1)).toBe(1);
    expect(told(after, [faultOf(1, rule)], [hitOf(2900, 1)], 2900).retries.counts.get(1)).toBe(2);
  });

  it('counts nothing of a dry run, and of calls that were let go', () => {
    expect(told(chaos, [faultOf(1, rule)], [hitOf(0, 1, { dryRun: true, acted: false }), hitOf(1, 1, { dryRun: true, acted: false }), hitOf(2, 1, { acted: false })], 0).retries.counts.size).toBe(0);
  });

  it('keeps little, however much comes', () => {
    let state = chaos;
    for (let i = 0; i < 30; i++) state = told(state, [faultOf(1, rule)], Array.from({ length: 1000 }, (_, j) => hitOf(i * 1000 + j, i * 1000 + j)), 0);
    expect(state.hits).toHaveLength(200);
    expect(state.hits[0]?.hit.time).toBe(29_999);
    expect(state.retries.last.size).toBeLessThanOrEqual(2048);
  });
});

/** Answers every question at once, as a door does that allows everything; notes how faults were armed. */
class Answering {
  state: State;
  readonly #armed: { readonly before: State; readonly key: string }[] = [];
  #faults: FaultStatus[] = [];
  #ids = 0;

  constructor(state: State) {
    this.state = state;
  }

  get armed(): readonly { readonly before: State; readonly key: string }[] {
    return this.#armed;
  }

  act(action: Action, key: string): void {
    const before = this.state;
    const { state, effects } = update(before, action);
    this.state = state;
    for (const effect of effects) this.#perform(effect, before, key);
  }

  #tell(): void {
    this.act({ type: 'chaosTold', faults: this.#faults, hits: [], now: 0 }, '');
  }

  #new(rule: Rule, dryRun: boolean): FaultStatus {
    const fault = faultOf(++this.#ids, rule, { dryRun });
    this.#faults = [fault, ...this.#faults];
    this.#tell();
    return fault;
  }

  #end(id: number): void {
    this.#faults = this.#faults.map((fault) => (fault.id === id ? { ...fault, state: 'ended', endedAt: 0, endReason: 'stopped' } : fault));
    this.#tell();
  }

  #perform(effect: Effect, before: State, key: string): void {
    switch (effect.kind) {
      case 'chaosPlan': return effect.rule === null ? undefined : this.act({ type: 'chaosPlanned', serial: effect.serial, answer: { plan: planOf(effect.rule) } }, '');
      case 'chaosDryRun': return this.act({ type: 'chaosDryRun', serial: effect.serial, answer: { plan: planOf(effect.rule), fault: this.#new(effect.rule, true) } }, '');
      case 'chaosArm': {
        this.#armed.push({ before, key });
        this.#end(effect.dryRun);
        return this.act({ type: 'chaosArmed', serial: effect.serial, answer: { fault: this.#new(effect.rule, false) } }, '');
      }
      case 'chaosEnd': return this.#end(effect.id);
      case 'chaosStopAll': return this.#faults.forEach(({ id }) => this.#end(id));
      default: return undefined;
    }
  }
}

const START: State = type(press(screen({ size: { width: 100, height: 30 } }), '5', 'down', 'c'), 'openat');

describe('arming', () => {
  const words = fc.constantFrom(['y', 'e', 's'], ['a', 'y', 'e', 's', 'enter'], ['enter', 'a'], [...POD], ['S', 'I', 'G', 'K', 'I', 'L', 'L'], ['f', 's', 'y', 'n', 'c'], ['e', 'r', 'r', 'o', 'r']);
  const single = fc.constantFrom('enter', 'enter', 'enter', 'a', 'a', 'esc', 'tab', 'shift-tab', 'left', 'right', 'up', 'down', 'backspace', 'ctrl-u', 'x', 'X', 'f9', 'ctrl-x', 'c', 'f8', 'q', 'y', 'e', 's', '?', 'd', 'p', '/', 'n', 'delete', 'pagedown', 'f1', ' ').map((key) => [key]);
  // Some begin where little is missing: by chance alone hardly any would come so far.
  const begun = fc.constantFrom([], ['enter'], ['enter', 'a'], ['enter', 'a', 'y', 'e']);
  const keys = fc.tuple(begun, fc.array(fc.oneof({ weight: 3, arbitrary: single }, { weight: 1, arbitrary: words }), { maxLength: 25 })).map(([first, rest]) => [first, ...rest]);

  it('never happens but by Enter behind exactly what the plan asks for', () => {
    let armed = 0;
    fc.assert(fc.property(keys, fc.boolean(), (sequence, deadly) => {
      const start = new Answering(START);
      const press1 = (key: string): void => start.act(inputOf(key), key);
      if (deadly) for (const key of ['tab', ...'signal', 'tab', ...'SIGKILL', 'shift-tab']) press1(key);
      for (const key of sequence.flat()) press1(key);
      for (const { before, key } of start.armed) {
        armed += 1;
        const { stage } = before.chaos!.panel!;
        if (stage.kind !== 'confirm') throw new Error(`armed from ${stage.kind}`);
        expect(key).toBe('enter');
        expect(stage.typed).toBe(toBeTyped(stage.plan));
        if (stage.rule.effect.kind === 'signal' && stage.rule.effect.signal === 'SIGKILL') expect(stage.typed).toBe(POD);
        expect(stage.fault.dryRun).toBe(true);
      }
    }), { numRuns: 300 });
    // The property is about something.
    expect(armed).toBeGreaterThan(0);
    // By hand: the shortest way.
    const start = new Answering(START);
    for (const key of ['enter', 'enter', 'y', 'e', 's', 'enter']) start.act(inputOf(key), key);
    expect(start.armed).toHaveLength(1);
  });

  it('can be stopped by F9 after any keys at all', () => {
    fc.assert(fc.property(keys, (sequence) => {
      const start = new Answering(START);
      for (const key of ['enter', 'a', 'y', 'e', 's', 'enter', ...sequence.flat()]) start.act(inputOf(key), key);
      const { state, effects } = update(start.state, inputOf('f9'));
      expect(effects).toContainEqual({ kind: 'chaosStopAll' });
      start.state = state;
      start.act(inputOf('ctrl-x'), 'ctrl-x');
      expect(start.state.chaos!.faults.every((fault) => fault.state === 'ended')).toBe(true);
    }), { numRuns: 200 });
  });
});

describe('the panel on screen', () => {
  const stages = (size: State['size'], symbols: State['symbols'], depth: State['depth'], text: string, frame: Parameters<typeof shows>[2] | null): State[] => {
    const rule = ruleOf({ syscalls: ['openat', 'openat2', '%read'], error: 'ENOSPC', probability: 0.1 });
    const strange = { ...rule, target: { kind: 'cgroup' as const, path: `/${text}` } };
    const plan: Plan = { ...planOf(strange), text, targets: [{ key: '1', cgroup: null, name: text }], refusals: [{ rule: 'host', reason: text, unless: null }], warnings: [{ about: 'calls', text }], confirmation: { text, reasons: [text] } };
    const faults = [faultOf(1, strange, { targetName: text, deadline: 1e15 }), faultOf(2, rule, { dryRun: true, targetName: text }), faultOf(3, rule, { state: 'ended', endedAt: 1e20, endReason: 'error', endDetail: text, lost: 3, missed: 1 })];
    const hits = [hitOf(-1e20, 1, { comm: text, path: text, given: text }), hitOf(5, 2, { path: null, given: null, effect: 'delay' })];
    const live = { ...screen({ size, symbols, depth }), size };
    const shown = frame === null ? live : shows(live, new History(), frame);
    const base = type(press(shown, '5', 'down', 'c'), 'openat');
    const toldState = update(base, { type: 'chaosTold', faults, hits, now: 0 }).state;
    const panel = panelOf(toldState);
    const withStage = (stage: Panel['stage'], more: Partial<Panel> = {}): State => ({ ...toldState, chaos: { ...toldState.chaos!, panel: { ...panel, stage, ...more } } });
    const gone = update(toldState, { type: 'chaosGone', reason: text, now: 0 }).state;
    return [
      base, toldState, withStage({ kind: 'form' }, { field: 'faults', why: true, error: text }), withStage({ kind: 'form' }, { form: { ...panel.form, target: text, call: text, comm: text, path: text }, field: 'target', planned: { error: text } }),
      withStage({ kind: 'form' }, { field: 'error', planned: { plan }, why: true }), withStage({ kind: 'form' }, { field: 'call', scroll: 7 }), withStage({ kind: 'starting', rule: strange }), withStage({ kind: 'dry', rule: strange, plan, fault: faults[1]! }, { error: text }),
      withStage({ kind: 'confirm', rule: strange, plan, fault: faults[2]!, typed: text }), withStage({ kind: 'arming', rule, plan }), press(gone, 'esc'), { ...gone, chaos: { ...gone.chaos!, panel: null } }, press(toldState, 'esc'), press(toldState, 'esc', '/'), press(toldState, 'esc', '?'), press(toldState, 'esc', 'z'),
    ];
  };

  it('fills every line exactly, at any size, whatever names and reasons hold', () => {
    fc.assert(fc.property(fc.integer({ min: 20, max: 250 }), fc.integer({ min: 1, max: 70 }), hostile, fc.constantFrom('ascii' as const, 'braille' as const), fc.constantFrom(0 as const, 16 as const), fc.option(anyFrame, { nil: null }), (width, height, text, symbols, depth, frame) => {
      for (const state of stages({ width, height }, symbols, depth, text, frame)) expectCells(drawScreen(state), width, height);
    }), { numRuns: 40 });
  }, 120_000);

  it('fills every width from 1 to 250', () => {
    const all = stages({ width: 80, height: 24 }, 'braille', 0, 'a/漢字/c', null);
    for (let width = 1; width <= 250; width++) {
      const size = { width, height: 1 + (width % 50) };
      for (const [i, state] of all.entries()) if ((i + width) % 3 === 0) expectCells(drawScreen({ ...state, size }), width, size.height);
    }
  }, 120_000);

  it('has the field with the keys in sight, however low the screen', () => {
    for (const height of [6, 8, 10, 24]) {
      let state = type(press(screen({ size: { width: 60, height } }), '5', 'down', 'c'), 'openat');
      for (let i = 0; i < 12; i++) {
        state = press(state, 'tab');
        const field = panelOf(state).field;
        const label = { target: 'Target', call: 'Call', fault: 'Fault', error: 'Error', delay: 'Delay', signal: 'Signal', chance: 'Chance', skip: 'Skip', every: 'Every', hits: 'Max hits', for: 'For', path: 'Path', port: 'Port', comm: 'Comm', faults: 'Faults' }[field];
        expect(drawScreen(state).map(plain).join('\n')).toContain(label);
      }
    }
  });

  it('stands beside the panes where there is room, and over them elsewhere', () => {
    const at = (width: number, height: number): string => drawScreen(press(screen({ size: { width, height } }), 'c')).map(plain).join('\n');
    expect(at(160, 45)).toMatch(/1 syscalls[\s\S]*chaos new fault/);
    expect(at(80, 24)).not.toContain('1 syscalls');
  });

  it('has a banner line in every view while something is armed, and one less for the panes', () => {
    const rule = ruleOf({ target: { pod: 'shop/web-1' }, syscalls: ['openat'], error: 'EIO' });
    for (const size of [{ width: 80, height: 24 }, { width: 60, height: 12 }, { width: 40, height: 2 }, { width: 160, height: 45 }]) {
      const armed = update(screen({ size }), { type: 'chaosTold', faults: [faultOf(1, rule)], hits: [], now: 0 }).state;
      for (const state of [armed, press(armed, '?'), press(armed, 'z'), press(armed, 'n'), press(armed, 'd'), press(armed, 'c'), press(armed, '/')]) {
        const lines = drawScreen(state).map(plain);
        expectCells(lines, size.width, size.height);
        expect(lines.slice(0, 2).join('\n')).toMatch(/CHAOS openat EIO/);
      }
    }
  });

  it('says how everything is stopped, also where letters are typed', () => {
    const rule = ruleOf({ syscalls: ['openat'], error: 'EIO' });
    const armed = update(screen(), { type: 'chaosTold', faults: [faultOf(1, rule)], hits: [], now: 0 }).state;
    expect(plain(drawScreen(armed)[1]!)).toMatch(/ X stops all $/);
    expect(plain(drawScreen(press(armed, '/'))[1]!)).toMatch(/ F9 or \^X stops all $/);
    expect(plain(drawScreen(press(armed, 'c'))[1]!)).toMatch(/ F9 or \^X stops all $/);
  });
});

