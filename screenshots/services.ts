/** What the demo workload's containers do, one role per process; a role ends when its stdin closes. */
import { execFile } from 'node:child_process';
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The web's, the store's, and one that nobody listens on. */
const [WEB_PORT = 18080, STORE_PORT = 16379, CLOSED_PORT = 19999] = (process.env['KBTOP_PORTS'] ?? '').split(',').filter(Boolean).map(Number);

const every = (ms: number, work: () => void): void => void setInterval(work, ms);

/** Load comes and goes over half a minute: 0 to 1. */
const load = (): number => Math.sin(performance.now() / 10_000) ** 2;

/** Do something once, and up to `more` times more as the load goes. */
function surge(more: number, work: () => void): void {
  for (let i = 0; i <= Math.round(load() * more); i++) work();
}

/** Read a file as a program does that takes what it can get. */
function tryRead(path: string): void {
  try {
    readFileSync(path);
  } catch {
    // missing or unreadable files are part of the picture
  }
}

function serve(port: number, host: string, onRequest: () => void): void {
  createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      onRequest();
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  }).listen(port, host);
}

function request(port: number, host = '127.0.0.1'): void {
  const socket = connect(port, host, () => socket.write('GET / HTTP/1.1\r\n\r\n'));
  socket.setTimeout(2_000, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.resume();
}

function spin(ms: number): number {
  const end = performance.now() + ms;
  let sum = 0;
  while (performance.now() < end) for (let i = 0; i < 10_000; i++) sum += Math.sqrt(i);
  return sum;
}

const roles: Readonly<Record<string, () => void>> = {
  web() {
    serve(WEB_PORT, '127.0.0.1', () => {
      tryRead('/etc/resolv.conf');
      tryRead('/usr/share/nginx/html/index.html');
    });
    every(25, () => surge(6, () => tryRead('/proc/self/stat')));
  },
  cart() {
    every(40, () => surge(3, () => request(WEB_PORT)));
    every(80, () => request(STORE_PORT, '::1'));
    every(400, () => request(CLOSED_PORT));
    every(150, () => tryRead('/app/conf/local.yaml'));
  },
  store() {
    const dir = mkdtempSync(join(tmpdir(), 'kbtop-store-'));
    process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
    const log = openSync(join(dir, 'append.log'), 'a');
    serve(STORE_PORT, '::1', () => writeSync(log, 'set k v\n'));
    every(20, () => {
      surge(20, () => writeSync(log, 'tick\n'));
      fsyncSync(log);
    });
  },
  scan() {
    every(200, () => {
      for (const name of readdirSync('/usr/share')) {
        try {
          statSync(join('/usr/share', name));
          closeSync(openSync(join('/usr/share', name), 'r'));
        } catch {
          // a dangling link
        }
      }
    });
  },
  batch() {
    every(120, () => spin(20 + 80 * load()));
  },
  cron() {
    every(700, () => execFile('/bin/sh', ['-c', 'date > /dev/null; cat /etc/hostname /etc/missing'], () => undefined));
  },
};

const role = process.argv[2] ?? '';
const run = roles[role];
if (run === undefined) {
  console.error(`services.ts: unknown role ${role}; known: ${Object.keys(roles).join(', ')}`);
  process.exit(2);
}
process.title = role;
process.stdin.on('end', () => process.exit(0)).resume();
run();
