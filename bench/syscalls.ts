/** What counting and timing system calls costs each call, beside libbpf-tools' syscount. */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadAddon } from '../src/bpf/load.ts';
import type { Level } from '../src/frame/frame.ts';
import { Hierarchies } from '../src/identity/hierarchies.ts';
import { SyscallsProbe } from '../src/probes/syscalls.ts';
import type { BenchRow } from './bench.ts';
import { command, overheads } from './overhead.ts';
import type { Variant } from './overhead.ts';

const ROUNDS = 7;

async function ourVariants(): Promise<{ variants: Variant[]; close: () => void }> {
  const addon = loadAddon();
  const probe = new SyscallsProbe({ level: 'off', budgetPct: 1000 });
  await probe.start({ addon, cgroupV1Fallback: Hierarchies.read().v1Fallback, cpus: addon.possibleCpus(), clockOffsetMs: 0, debug: () => {} });
  let seq = 0;
  const variant = (name: string, level: Level): Variant => ({
    name,
    async on(run) {
      probe.setLevel(level);
      // As in life: busy calls have had their slots for a tick or two.
      for (let i = 0; i < 3; i++) {
        await run();
        probe.tick({ seq: ++seq, ms: 10 });
      }
    },
    async off() {
      probe.setLevel('off');
      await sleep(100);
    },
  });
  return {
    variants: [variant('count', 'count'), variant('latency', 'latency'), variant('sampled', 'sampled')],
    close: () => probe.close(),
  };
}

export async function run(): Promise<readonly BenchRow[]> {
  const ours = await ourVariants();
  try {
    const peers = [command('syscount', 'syscount', ['-i', '1000']), command('syscount -L', 'syscount', ['-L', '-i', '1000'])];
    const [count, latency, sampled, syscount, syscountL] = await overheads('syscall', [...ours.variants, ...peers], ROUNDS);
    const [failingCount, failingSyscount] = await overheads('error', [ours.variants[0], peers[0]].filter((one) => one !== undefined), ROUNDS);
    const row = (name: string, mine: typeof count, peer: typeof count, limit: number | null): BenchRow => {
      const ratio = mine?.ns != null && peer?.ns != null ? mine.ns / peer.ns : null;
      return {
        name, ours: mine?.ns ?? null, peer: peer?.ns ?? null, ratio,
        aim: limit === null ? 'shown' : `<= ${limit.toFixed(2)}`, met: limit === null || ratio === null ? null : ratio <= limit,
        note: `peer: libbpf-tools ${peer?.name}; CPU time added to one call; kbtop ${mine?.note}; peer ${peer?.note}`,
      };
    };
    return [
      row('syscalls, count level (with errors): ns per call', count, syscount, 0.7),
      row('syscalls, latency level: ns per call', latency, syscountL, 0.75),
      row('syscalls, count level, calls that fail: ns per call', failingCount, failingSyscount, null),
      row('syscalls, 1/16 sampled level: ns per call', sampled, syscountL, null),
    ];
  } finally {
    ours.close();
  }
}
