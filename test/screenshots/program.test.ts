import { afterEach, expect, it } from 'vitest';
import { Program } from '../../screenshots/program.ts';

let program: Program | null = null;
afterEach(() => program?.close());

const start = (script: string): Program => (program = new Program(['sh', '-c', script], { cols: 40, rows: 5 }));

it('shows the screen, types, and waits for what comes', async () => {
  const running = start('printf "name? "; read name; printf "\\033[2J\\033[Hhello %s" "$name"; read end');
  await running.waitFor('name?');
  running.keys('kbtop\r');
  await running.waitFor(/^hello kbtop$/m);
  expect(running.screen()[0]).toBe('hello kbtop');
  running.keys('\r');
  expect(await running.ended).toBe(0);
});

it('is a terminal of the size asked for, also after a resize', async () => {
  const running = start('trap "stty size" WINCH; stty size; while :; do sleep 0.1; done');
  await running.waitFor('5 40');
  running.resize(60, 10);
  await running.waitFor('10 60');
});

it('gives the exit code, and the screen when the wait is in vain', async () => {
  const running = start('echo last words; exit 7');
  expect(await running.ended).toBe(7);
  await expect(running.waitFor('never')).rejects.toThrow(/ended with code 7 .* never:\nlast words/s);
});

it('gives up after the deadline', async () => {
  await expect(start('echo here; sleep 60').waitFor('never', 300)).rejects.toThrow(/within 300 ms:\nhere/);
});
