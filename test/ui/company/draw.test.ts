/** What a screen shows of the others: header, footer, list, at any size, with any names. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawScreen } from '../../../src/ui/screen.ts';
import type { State } from '../../../src/ui/model.ts';
import { hostile } from '../arbitrary.ts';
import { expectCells, plain } from '../cells.ts';
import { FakeNode } from '../fixtures.ts';
import { liveState } from '../states.ts';
import { FakeSession } from './fake-session.ts';
import type { Seated } from './rig.ts';
import { LARGE, SMALL, sit } from './rig.ts';

const lines = (state: State) => drawScreen(state).map(plain);

/** Three viewers; the first one drives. */
function three(size = SMALL, names: readonly [string, string, string] = ['alice@pts/3', 'bob@pts/4', 'carol@pts/5']): { session: FakeSession; all: Seated[] } {
  const session = new FakeSession();
  const all = names.map((name) => sit(session, name, size));
  const frame = new FakeNode().next();
  for (const one of all) one.frame(frame);
  all[0]!.press('D');
  all[2]!.press('5');
  for (const one of all) one.press('ctrl-l');
  return { session, all };
}

describe('the header', () => {
  it('says who is there and what this screen does, at 80 columns', () => {
    const { all } = three();
    expect(all.map(({ state }) => lines(state)[0])).toEqual([
      expect.stringContaining('3 viewers, you drive'), expect.stringContaining('3 viewers, following alice@pts/3'), expect.stringContaining('3 viewers, alice@pts/3 drives'),
    ]);
    for (const { state } of all) expect(lines(state)[0]).toMatch(/worker-1 .*lost 0/);
  });

  it('has room for it beside a scope and a pause', () => {
    const { all } = three();
    all[0]!.press('5', 'u', 'u', 'down', 'enter', 'enter', 'p');
    expect(lines(all[1]!.state)[0]).toMatch(/› .*PAUSED .*3 viewers, following alice@pts\/3/);
  });

  it('counts those who follow where there is room', () => {
    expect(lines(three(LARGE).all[0]!.state)[0]).toContain('3 viewers, you drive, 1 follows');
  });

  it('says it in ASCII, too', () => {
    const { all } = three();
    expect(lines({ ...all[1]!.state, symbols: 'ascii' })[0]).toMatch(/^[ -~]+$/);
    expect(lines({ ...all[1]!.state, symbols: 'ascii' })[0]).toContain('3 viewers, following alice@pts/3');
  });

  it('says nothing on a screen that is alone, and offers no keys there', () => {
    const text = lines(liveState({ size: { width: 250, height: 60 } })).join('\n');
    expect(text).not.toMatch(/viewer|Follow|Drive/);
  });

  it('offers what can be done in the footer', () => {
    const { all } = three({ width: 200, height: 45 });
    expect(all.map(({ state }) => /F (\w+).* D (Drive|Let go)/.exec(lines(state).at(-1) ?? '')?.slice(1))).toEqual([['Follow', 'Let go'], ['Alone', 'Drive'], ['Follow', 'Drive']]);
  });
});

describe('the list of viewers', () => {
  it('says of each what it does, may and missed', () => {
    const { session, all } = three();
    session.change(({ name }) => (name.startsWith('bob') ? { control: true, skipped: 1234, uid: null } : {}));
    all[1]!.press('V');
    const text = lines(all[1]!.state).join('\n');
    expect(text).toMatch(/ alice@pts\/3 +drives +no +1001 +0 /);
    expect(text).toMatch(/you bob@pts\/4 +follows +yes +- +1\.2k/);
    expect(text).toMatch(/ carol@pts\/5 +looks around alone +no/);
    expect(text).toContain('D takes the wheel; F stops following.');
    all[1]!.press('V');
    expect(lines(all[1]!.state).join('\n')).toContain('viewers');
  });

  it('fills every line exactly, at any size, whatever the names are', () => {
    fc.assert(fc.property(fc.tuple(hostile, hostile, hostile), fc.integer({ min: 1, max: 170 }), fc.integer({ min: 1, max: 50 }), fc.boolean(), (names, width, height, ascii) => {
      const { all } = three({ width, height }, names);
      for (const { state, press } of all) {
        for (const shown of [state, { ...state, overlay: { kind: 'viewers', scroll: 0 } as const }]) {
          expectCells(drawScreen(ascii ? { ...shown, symbols: 'ascii' } : shown), width, height);
        }
        press('q');
      }
    }), { numRuns: 60 });
  });
});
