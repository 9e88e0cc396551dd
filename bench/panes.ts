/**
 * All five panes against the classic tools that a person would run together for the same view: syscount -L, runqlat,
 * opensnoop and tcpstates of libbpf-tools. The same mixed workload, pinned to one CPU, tools and kbtop on the other;
 * what each adds to the workload's own CPU time, and what their processes take.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildWorkload } from '../test/workloads/build.ts';
import { median, type BenchRow } from './bench.ts';

const PAIRS = 7;
const ROUNDS = 3;
/** Until every program is attached and first-use costs are paid, milliseconds. */
const SETTLE_MS = 2500;
const TICKS_PER_SECOND = 100;
const root = join(import.meta.dirname, '..');
const TOOLS: readonly (readonly string[])[] = [['syscount', '-L', '-i', '1'], ['runqlat', '1'], ['opensnoop'], ['tcpstates']];

const sleep = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

/** CPU time that a process has used, milliseconds. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

interface Observed {
  /** CPU nanoseconds of one round, the least of a few: what disturbs only adds. */
  readonly roundNs: number;
  /** CPU milliseconds per second that the observers' processes took while the rounds ran. */
  readonly observersMsPerSec: number;
}

class Workload {
  #child = spawn(buildWorkload('mixed'), ['1'], { stdio: ['pipe', 'pipe', 'inherit'] });
  #lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();

  async round(): Promise<number> {
    this.#child.stdin.write('\n');
    const line = await this.#lines.next();
    if (line.done) throw new Error('the workload ended early');
    return Number(line.value);
  }

  close(): void {
    this.#child.stdin.end();
  }
}

async function observe(workload: Workload, commands: readonly (readonly string[])[]): Promise<Observed> {
  const children: ChildProcess[] = commands.map(([command, ...args]) =>
    spawn('taskset', ['-c', '0', command as string, ...args], { stdio: ['ignore', 'ignore', 'ignore'], env: { ...process.env, CI: '' } }));
  try {
    if (children.length > 0) await sleep(SETTLE_MS);
    for (const [i, child] of children.entries()) if (child.exitCode !== null) throw new Error(`${commands[i]?.join(' ')} ended with ${child.exitCode}`);
    const pids = children.map((child) => child.pid as number);
    const before = pids.map(cpuMs), begin = performance.now();
    const rounds: number[] = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await workload.round());
    const seconds = (performance.now() - begin) / 1000;
    const used = pids.reduce((sum, pid, i) => sum + cpuMs(pid) - (before[i] ?? 0), 0);
    return { roundNs: Math.min(...rounds), observersMsPerSec: used / seconds };
  } finally {
    for (const child of children) {
      if (child.exitCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      const late = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ended;
      clearTimeout(late);
    }
  }
}

export async function run(): Promise<readonly BenchRow[]> {
  const missing = TOOLS.map(([tool]) => tool as string).filter((tool) => !existsSync(`/usr/sbin/${tool}`));
  const name = 'all five panes: added to a mixed workload, ms CPU per round';
  const aim = '< 1';
  if (missing.length > 0) return [{ name, ours: null, peer: null, ratio: null, aim, met: null, note: `missing ${missing.join(', ')}` }];
  if (cpus().length < 2) return [{ name, ours: null, peer: null, ratio: null, aim, met: null, note: 'needs two CPUs' }];

  const kbtop = [[join(root, 'bin/kbtop'), 'snapshot', '--count', '600', '--interval', '1s', '-o', 'ndjson']];
  const workload = new Workload();
  const ours: number[] = [], peer: number[] = [], oursProcess: number[] = [], peerProcess: number[] = [], ratios: number[] = [];
  try {
    await workload.round();
    for (let pair = 0; pair < PAIRS; pair++) {
      const bare = await observe(workload, []);
      const withKbtop = await observe(workload, kbtop);
      const withTools = await observe(workload, TOOLS);
      const added = (withKbtop.roundNs - bare.roundNs) / 1e6, addedByTools = (withTools.roundNs - bare.roundNs) / 1e6;
      ours.push(added);
      peer.push(addedByTools);
      ratios.push(added / addedByTools);
      oursProcess.push(withKbtop.observersMsPerSec);
      peerProcess.push(withTools.observersMsPerSec);
    }
  } finally {
    workload.close();
  }
  const ratio = median(ratios);
  const processRatio = median(oursProcess) / median(peerProcess);
  return [
    { name, ours: median(ours), peer: median(peer), ratio, aim, met: ratio < 1, note: `syscount -L, runqlat, opensnoop, tcpstates together; ${PAIRS} interleaved triples` },
    { name: 'all five panes: CPU of the process(es), ms/s', ours: median(oursProcess), peer: median(peerProcess), ratio: processRatio, aim: 'none', met: null, note: 'kbtop snapshot once a second as NDJSON, all columns; the same run' },
  ];
}
