/**
 * Three on one capture, for a picture: real Frames of the real program, Alice who drives and Carol who looks around alone
 * on screens that nobody sees, and Bob who follows Alice on this terminal. Arguments go to kbtop.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Frame } from '../src/frame/frame.ts';
import { bundled } from '../test/pty/pty.ts';
import { Relay } from '../test/pty/relay.ts';
import { Program } from './program.ts';

const root = join(import.meta.dirname, '..');
const directory = mkdtempSync(join(tmpdir(), 'kbtop-pairing-'));
const socket = join(directory, 'socket');
const screen = await bundled('company.ts');
const relay = new Relay(socket, ['alice@pts/3', 'carol@pts/7', 'bob@pts/4']);
const capture = spawn(join(root, 'bin/kbtop'), ['snapshot', '-o', 'ndjson', '--count', '100000', '--interval', '1s', ...process.argv.slice(2)], { stdio: ['ignore', 'pipe', 'ignore'] });
createInterface(capture.stdout).on('line', (line) => relay.frame(JSON.parse(line) as Frame));

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const env = { COMPANY_SOCKET: socket, COMPANY_VERSION: version };
const alice = new Program([process.execPath, screen], { cols: 200, rows: 60, env });
await alice.waitFor('1 viewer');
const carol = new Program([process.execPath, screen], { cols: 80, rows: 24, env });
await alice.waitFor('2 viewers');
const bob = spawn(process.execPath, [screen], { stdio: 'inherit', env: { ...process.env, ...env } });

async function end(): Promise<never> {
  capture.kill();
  bob.kill();
  relay.close();
  await Promise.all([alice.close(), carol.close()]);
  rmSync(directory, { recursive: true, force: true });
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => void end());
bob.once('exit', () => void end());

// Alice looks for what waits in the shop: its containers, one of them marked, calls with errors first.
await alice.waitFor('3 viewers', 60_000);
await alice.waitFor('cart', 60_000);
carol.keys('2');
alice.keys('D');
alice.keys('5/shop|jobs|security\r');
alice.keys('\x1b[B\x1b[B');
