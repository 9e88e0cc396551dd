/** Two screens in this process, each on an emulated terminal of its own size, on one session. */
import { afterEach, describe, expect, it } from 'vitest';
import type { UiOptions } from '../../../src/ui/options.ts';
import { runUi } from '../../../src/ui/run.tsx';
import { FakeNode, fakeSource } from '../fixtures.ts';
import { OPTIONS } from '../states.ts';
import { Keys, Screen } from '../terminal/screen.ts';
import { FakeSession } from './fake-session.ts';

const open: { keys: Keys; result: Promise<number> }[] = [];
afterEach(async () => {
  for (const { keys, result } of open.splice(0)) {
    keys.press('\x03');
    await result;
  }
});

function start(session: FakeSession, name: string, columns: number, rows: number, options: Partial<UiOptions> = {}) {
  const screen = new Screen(columns, rows), keys = new Keys(), source = fakeSource(), seat = session.join(name);
  const result = runUi(source, { ...OPTIONS, company: seat, ...options }, { stdin: keys, stdout: screen, env: { TERM: 'xterm' }, ownsProcess: false });
  result.catch(() => {});
  open.push({ keys, result });
  return { screen, keys, source, seat, result };
}

describe('two screens on one session', () => {
  it('show the same, in as much room as each has', async () => {
    const session = new FakeSession(), node = new FakeNode({ containers: 30 });
    const alice = start(session, 'alice', 160, 45), bob = start(session, 'bob', 80, 24, { ascii: true });
    const tick = (): void => {
      const frame = node.next();
      for (const { source } of [alice, bob]) source.emit(frame);
    };
    tick();
    await alice.screen.shows('2 viewers');
    alice.keys.press('D');
    await alice.screen.shows('2 viewers, you drive, 1 follows');
    await bob.screen.shows('2 viewers, following alice');
    alice.keys.press('5', 'u', 'u', '/', 'web', '\r', '\x1b[B', '\r');
    await alice.screen.shows('› shop › deploy/web');
    await bob.screen.shows('> shop > deploy/web');
    alice.keys.press('z', 'G');
    await bob.screen.shows(/z Unzoom|5 containers by pod/);
    // The last row is marked on both, though the small screen has to scroll for it.
    const marked = (lines: readonly string[], pointer: string): string | undefined => lines.find((line) => line.startsWith(pointer))?.match(/web-\S+/)?.[0];
    await expect.poll(() => marked(bob.screen.emulator.lines(), '>')?.slice(0, 12)).toBe(marked(alice.screen.emulator.lines(), '▶')?.slice(0, 12));
    expect(marked(alice.screen.emulator.lines(), '▶')).toMatch(/^web-/);
    alice.keys.press('p');
    await bob.screen.shows('PAUSED');
    tick();
    await bob.screen.shows('PAUSED +1');
    alice.keys.press('q');
    expect(await alice.result).toBe(0);
    alice.seat.leave();
    await bob.screen.shows('alice has left: the screen stays as it is');
    await bob.screen.shows('1 viewer ');
  });

  it('show keys for levels and the interval only as long as the source can be told', async () => {
    const session = new FakeSession();
    const { screen, source } = start(session, 'alice', 250, 60);
    source.emit();
    await screen.shows('L Level');
    Object.assign(source.can, { setInterval: false, setLevel: false });
    source.emit();
    await expect.poll(() => screen.emulator.text()).not.toMatch(/L Level|\+\/-/);
    Object.assign(source.can, { setInterval: true, setLevel: true });
    source.emit();
    await screen.shows(/L Level[\s\S]*\+\/-/);
  });
});
