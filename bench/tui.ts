/**
 * What the screen costs: its CPU against htop's on the same terminal, how soon it stands, how much memory it takes.
 * The program is bin/kbtop where it may load BPF, else the same screen on a node that does not exist.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';
import type { BenchRow } from './bench.ts';
import { median } from './bench.ts';
import { bundled, plainEnv } from '../test/pty/pty.ts';

const SIZE = { cols: 120, rows: 40 } as const;
const INTERVAL_MS = 1000;
const PAIRS = 3;
/** Before a CPU window: start-up and the first ticks are no steady state. */
const WARM_MS = 10_000;
const WINDOW_MS = 20_000;
const STARTS = 7;
/** CPU time is told in hundredths of a second. */
const TICK_MS = 10;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Program {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Sample {
  /** Percent of one CPU. */
  readonly cpuPct: number;
  readonly rssMiB: number;
  readonly kBPerSec: number;
}

class Running {
  readonly #pty;
  readonly #exited: Promise<void>;
  #output = '';
  bytes = 0;

  constructor({ file, args, env }: Program) {
    this.#pty = spawn(file, [...args], { ...SIZE, name: 'xterm-256color', env: plainEnv(env) });
    this.#exited = new Promise((resolve) => { this.#pty.onExit(() => resolve()); });
    this.#pty.onData((data) => {
      this.bytes += Buffer.byteLength(data);
      if (this.#output.length < 100_000) this.#output += data;
    });
  }

  get output(): string {
    return this.#output;
  }

  get cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#pty.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }

  get rssMiB(): number {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#pty.pid}/status`, 'utf8'))?.[1]) / 1024;
  }

  async quit(): Promise<void> {
    this.#pty.write('q');
    await Promise.race([this.#exited, sleep(5000)]);
    try {
      process.kill(this.#pty.pid, 'SIGKILL');
    } catch {
      // It has gone by itself.
    }
  }
}

async function steady(program: Program): Promise<Sample> {
  const running = new Running(program);
  try {
    await sleep(WARM_MS);
    const cpu = running.cpuMs, bytes = running.bytes, from = performance.now();
    await sleep(WINDOW_MS);
    const ms = performance.now() - from;
    return { cpuPct: ((running.cpuMs - cpu) / ms) * 100, rssMiB: running.rssMiB, kBPerSec: (running.bytes - bytes) / ms };
  } finally {
    await running.quit();
  }
}

/** Milliseconds from exec to a whole first screen, its last line included. */
async function firstFrameMs(program: Program): Promise<number> {
  const from = performance.now();
  const running = new Running(program);
  try {
    while (!running.output.includes('Quit')) {
      if (performance.now() - from > 20_000) throw new Error(`${program.name} drew nothing in 20 s: ${running.output.slice(0, 200)}`);
      await sleep(1);
    }
    return performance.now() - from;
  } finally {
    await running.quit();
  }
}

const installed = (path: string): boolean => existsSync(path);

async function programs(): Promise<{ readonly screen: Program; readonly real: Program | null }> {
  const screen: Program = { name: 'screen alone', file: process.execPath, args: ['--max-semi-space-size=2', await bundled('fake.ts')], env: { FAKE_MS: String(INTERVAL_MS), FAKE_CONTAINERS: '20' } };
  const bin = fileURLToPath(new URL('../bin/kbtop', import.meta.url));
  const possible = process.getuid?.() === 0 && installed('/sys/kernel/btf/vmlinux') && installed(fileURLToPath(new URL('../dist/kbtop.mjs', import.meta.url)));
  return { screen, real: possible ? { name: 'bin/kbtop', file: bin, args: [] } : null };
}

const ratio = (ours: number, peer: number | null): number | null => (peer === null || peer === 0 ? null : ours / peer);

/** Interleaved pairs on the same terminal size. */
export async function run(): Promise<readonly BenchRow[]> {
  const { screen, real } = await programs();
  const htop: Program | null = installed('/usr/bin/htop') ? { name: 'htop', file: '/usr/bin/htop', args: ['-d', '10'] } : null;
  const alone: Sample[] = [], whole: Sample[] = [], peers: Sample[] = [];
  for (let i = 0; i < PAIRS; i++) {
    alone.push(await steady(screen));
    if (htop) peers.push(await steady(htop));
    if (real) whole.push(await steady(real));
  }
  const peer = peers.length > 0 ? median(peers.map((sample) => sample.cpuPct)) : null;
  const cpu = median(alone.map((sample) => sample.cpuPct));
  const note = (samples: readonly Sample[]): string => `${peer === null ? 'htop is not installed' : 'peer: htop -d 10, which collects for itself'}; ${PAIRS} x ${WINDOW_MS / 1000} s; ${median(samples.map((sample) => sample.kBPerSec)).toFixed(1)} kB/s to the terminal`;
  const rows: BenchRow[] = [{
    name: 'screen CPU, 120x40, 1 s, 20 containers, % of a CPU', ours: cpu, peer, ratio: ratio(cpu, peer), aim: '<= 2.00', met: peer === null ? null : cpu <= 2 * peer,
    note: `${note(alone)}; the screen alone, on Frames made before`,
  }];
  if (real) {
    const all = median(whole.map((sample) => sample.cpuPct));
    rows.push({ name: 'kbtop CPU, 120x40, 1 s, all panes live, % of a CPU', ours: all, peer, ratio: ratio(all, peer), aim: 'shown', met: null, note: `${note(whole)}; probes' user side counted in, and whatever else ran on this node` });
  }

  const measured = real ?? screen;
  await firstFrameMs(measured);
  const starts: number[] = [];
  for (let i = 0; i < STARTS; i++) starts.push(await firstFrameMs(measured));
  const first = median(starts);
  rows.push({ name: 'first screen after exec, warm, ms', ours: first, peer: null, ratio: first, aim: '< 250', met: first < 250, note: `${measured.name}, median of ${STARTS}; best ${Math.min(...starts).toFixed(0)}` });
  const rss = median((real ? whole : alone).map((sample) => sample.rssMiB));
  rows.push({ name: `memory (RSS) after ${(WARM_MS + WINDOW_MS) / 1000} s, MiB`, ours: rss, peer: peers.length > 0 ? median(peers.map((sample) => sample.rssMiB)) : null, ratio: rss, aim: '< 120', met: rss < 120, note: `${measured.name}; peer: htop` });
  return rows;
}
