/**
 * Three on one capture, for a picture: kbtop serve, one screen that drives and one that looks around alone, both where
 * nobody sees them, and one that follows on this terminal. Arguments go to kbtop serve.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Program } from './program.ts';

const kbtop = join(import.meta.dirname, '../bin/kbtop');
const directory = mkdtempSync(join(tmpdir(), 'kbtop-pairing-'));
const socket = join(directory, 'kbtop.sock');
const serve = spawn(kbtop, ['serve', '--socket', socket, '--audit', join(directory, 'audit.jsonl'), '--allow-control', ...process.argv.slice(2)], { stdio: 'ignore' });
for (let i = 0; i < 300 && !existsSync(socket); i++) await sleep(100);

const driver = new Program([kbtop, 'attach', socket], { cols: 200, rows: 60 });
await driver.waitFor('1 viewer');
const other = new Program([kbtop, 'attach', socket], { cols: 80, rows: 24 });
await driver.waitFor('2 viewers');
const own = spawn(kbtop, ['attach', socket], { stdio: 'inherit' });

async function end(): Promise<never> {
  own.kill();
  serve.kill();
  await Promise.all([driver.close(), other.close()]);
  rmSync(directory, { recursive: true, force: true });
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => void end());
own.once('exit', () => void end());

// The driver looks at what waits in the shop: its containers, one of them marked.
await driver.waitFor('3 viewers', 60_000);
await driver.waitFor('cart', 60_000);
other.keys('2');
driver.keys('D');
driver.keys('5/shop|jobs|security\r');
driver.keys('\x1b[B\x1b[B');
