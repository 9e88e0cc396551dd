/** Faults on an emulated terminal, with the bytes that keys send. */
import { afterEach, describe, expect, it } from 'vitest';
import { runUi } from '../../../src/ui/run.tsx';
import { FULL } from '../../chaos/capabilities-fixture.ts';
import { FakeNode, fakeSource } from '../fixtures.ts';
import { OPTIONS } from '../states.ts';
import { Keys, Screen } from '../terminal/screen.ts';
import { FakeDoor } from './fake-door.ts';
import { TARGET } from './rig.ts';

const open: { keys: Keys; result: Promise<number> }[] = [];
afterEach(async () => {
  for (const { keys, result } of open.splice(0)) {
    // Asked about while something is armed.
    keys.press('\x03');
    keys.press('\x03');
    await result.catch(() => {});
  }
});

async function start(columns: number, rows: number) {
  const keys = new Keys(), screen = new Screen(columns, rows), source = fakeSource(new FakeNode());
  const frame = source.emit();
  const door = new FakeDoor({ capabilities: FULL, containers: () => frame.containers });
  const result = runUi(source, { ...OPTIONS, chaos: door }, { stdin: keys, stdout: screen, env: { TERM: 'xterm' }, ownsProcess: false });
  result.catch(() => {});
  open.push({ keys, result });
  await screen.shows('c Chaos');
  return { keys, screen, door, result };
}

async function armed(columns: number, rows: number) {
  const started = await start(columns, rows);
  const { keys, screen, door } = started;
  keys.press('\x1b[19~');
  await screen.shows('chaos new fault');
  // The row of all containers has no target, so that is the field with the keys; typing replaces what a field holds.
  await screen.shows('say whom');
  keys.press(TARGET);
  keys.press('\topenat');
  await screen.shows('Acts');
  keys.press('\r');
  await screen.shows('DRY RUN: it counts');
  keys.press('a');
  await screen.shows('type yes and press Enter');
  keys.press('yes\r');
  await screen.shows(/CHAOS openat ENOENT on shop/);
  door.call(2, 3);
  await screen.shows('3/100 hits');
  return started;
}

describe('on a terminal', () => {
  it.each([[80, 24], [160, 45]])('makes a fault and stops it with F9 (%dx%d)', async (columns, rows) => {
    const { keys, screen, door } = await armed(columns, rows);
    keys.press('\x1b[20~');
    await screen.shows('all ');
    expect(door.faults.every(({ state }) => state === 'ended')).toBe(true);
  });

  it('stops it with Ctrl-X while a filter is being typed', async () => {
    const { keys, screen, door } = await armed(100, 30);
    keys.press('\x1b');
    await screen.shows('5 containers');
    keys.press('/X');
    await screen.shows('F9 or ^X stops all');
    keys.press('\x18');
    while (screen.emulator.text().includes('CHAOS')) await new Promise((resolve) => setTimeout(resolve, 30));
    expect(door.faults.every(({ state }) => state === 'ended')).toBe(true);
  });

  it('asks once before it leaves, and ends it then', async () => {
    const { keys, screen, door, result } = await armed(100, 30);
    keys.press('\x1b');
    await screen.shows('5 containers');
    keys.press('q');
    await screen.shows('q again ends the fault and quits');
    keys.press('q');
    expect(await result).toBe(0);
    expect(door.asked.at(-1)).toBe('stopAll stopped');
    expect(screen.emulator.alternate).toBe(false);
  });
});
