/** Whatever becomes of kbtop, its injector and its faults are gone within three seconds: shown with real processes. */
import pty from '@lydell/node-pty';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../../workloads/cgroup.ts';
import { timeScale } from '../../workloads/scale.ts';
import { CHILDREN, Fake, isRunning } from './fixture.ts';

const LIMIT_MS = 3000 * timeScale;

/** A kbtop that has armed something. */
async function holder(fake: Fake): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(CHILDREN, 'holder.ts'), 'wait'], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, KBTOP_FAKE: fake.directory } });
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => { text += chunk.toString(); });
  await until('the fault to be armed', () => text.includes('armed\n'), 30_000);
  return child;
}

async function goneInTime(fake: Fake, from: number): Promise<void> {
  const [pid = 0] = fake.pids;
  await until('the injector to go', () => !isRunning(pid), 10_000);
  expect(performance.now() - from).toBeLessThan(LIMIT_MS);
  expect(fake.journal.slice(-2)).toEqual(['clear', 'close']);
  expect(fake.audit.map(({ event }) => event)).toEqual(['armed', 'ended']);
}

describe('the watchdog', () => {
  it.each(['SIGKILL', 'SIGSTOP', 'SIGSEGV'] as const)('ends everything when kbtop gets %s', async (signal) => {
    using fake = new Fake();
    const child = await holder(fake);
    try {
      expect(isRunning(fake.pids[0] ?? 0)).toBe(true);
      const from = performance.now();
      child.kill(signal);
      await goneInTime(fake, from);
      expect(fake.audit.at(-1)).toMatchObject({ reason: 'watchdog', detail: expect.stringMatching(signal === 'SIGSTOP' ? /no sign of life/ : /ended without/) as string });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('ends everything when kbtop hangs in a write to a terminal that nobody reads', async () => {
    using fake = new Fake();
    const log = join(fake.directory, 'stderr');
    // The terminal is opened, but never read: its buffer fills and the write blocks.
    const child = pty.spawn('/bin/sh', ['-c', `exec '${process.execPath}' '${join(CHILDREN, 'holder.ts')}' block 2>'${log}'`], { env: { ...process.env, KBTOP_FAKE: fake.directory } });
    child.pause();
    try {
      await until('the fault to be armed', () => fake.journal.some((line) => line.startsWith('arm ')), 30_000);
      await goneInTime(fake, performance.now());
      expect(isRunning(child.pid)).toBe(true);
      expect(fake.audit.at(-1)).toMatchObject({ reason: 'watchdog' });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('does not go off while kbtop lives', async () => {
    using fake = new Fake();
    const child = await holder(fake);
    try {
      await new Promise((resolve) => { setTimeout(resolve, 4000); });
      expect(isRunning(fake.pids[0] ?? 0)).toBe(true);
      expect(fake.audit).toHaveLength(1);
    } finally {
      child.kill('SIGKILL');
      await until('the injector to go', () => !isRunning(fake.pids[0] ?? 0), 10_000);
    }
  });
});
