/** What following the run queue costs each context switch, beside libbpf-tools' runqlat, and how its two sources agree under load. */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadAddon } from '../src/bpf/load.ts';
import { Hierarchies } from '../src/identity/hierarchies.ts';
import type { ProbeContext } from '../src/probes/probe.ts';
import { RunqueueProbe } from '../src/probes/runqueue.ts';
import type { WaitSource } from '../src/probes/runqueue.ts';
import type { BenchRow } from './bench.ts';
import { command, overheads } from './overhead.ts';
import type { Variant } from './overhead.ts';

const ROUNDS = 9;

export async function run(): Promise<readonly BenchRow[]> {
  const addon = loadAddon();
  const context: ProbeContext = { addon, cgroupV1Fallback: Hierarchies.read().v1Fallback, cpus: addon.possibleCpus(), clockOffsetMs: 0, debug: () => {} };
  const probes: RunqueueProbe[] = [];
  const variant = async (name: string, source: WaitSource): Promise<Variant> => {
    const probe = new RunqueueProbe({ source });
    await probe.start(context);
    probe.setLevel('off');
    probes.push(probe);
    return {
      name,
      async on() {
        probe.setLevel('latency');
        await sleep(100);
      },
      async off() {
        probe.setLevel('off');
        await sleep(100);
      },
    };
  };
  try {
    const variants = [await variant('sched_info', 'sched_info'), await variant('timestamps', 'timestamps')];
    const [schedInfo, timestamps, runqlat] = await overheads('switch', [...variants, command('runqlat', 'runqlat', ['1000'])], ROUNDS);
    const row = (name: string, mine: typeof schedInfo, limit: number | null): BenchRow => {
      const ratio = mine?.ns != null && runqlat?.ns != null ? mine.ns / runqlat.ns : null;
      return {
        name, ours: mine?.ns ?? null, peer: runqlat?.ns ?? null, ratio,
        aim: limit === null ? 'shown' : `<= ${limit.toFixed(2)}`, met: limit === null || ratio === null ? null : ratio <= limit,
        note: `peer: libbpf-tools runqlat; CPU time added to a switch, pipe ping-pong on one CPU; kbtop ${mine?.note}; peer ${runqlat?.note}`,
      };
    };
    return [row('run queue (the scheduler\'s account): ns per switch', schedInfo, 0.35), row('run queue, timestamps instead: ns per switch', timestamps, null)];
  } finally {
    for (const probe of probes) probe.close();
  }
}
