/** What an armed fault costs each system call of everybody else, and of its target. */
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadAddon } from '../src/bpf/load.ts';
import type { EngineFault, ScopeCgroup } from '../src/chaos/engine/engine.ts';
import { KernelEngine } from '../src/chaos/engine/kernel-engine.ts';
import { selectForRule } from '../src/chaos/select.ts';
import { type RuleDraft, validateRule } from '../src/chaos/validate.ts';
import { Hierarchies } from '../src/identity/hierarchies.ts';
import { cgroupKey } from '../src/identity/key.ts';
import { SyscallsProbe } from '../src/probes/syscalls.ts';
import type { BenchRow } from './bench.ts';
import { overheads } from './overhead.ts';
import type { Overhead, Variant } from './overhead.ts';

const ROUNDS = 9;
const AIM_NS = 40;
const NOTHING_NS = 10;

interface Scopes {
  /** Of the workload, which is of this process's own cgroup. */
  readonly own: ScopeCgroup;
  readonly other: ScopeCgroup;
  close(): void;
}

function makeScopes(hierarchies: Hierarchies): Scopes {
  const scope = (hierarchy: number, path: string): ScopeCgroup => {
    const directory = hierarchies.directory(hierarchy, path) ?? '';
    return { key: cgroupKey(hierarchy, statSync(directory, { bigint: true }).ino), directory: hierarchy === 0 ? directory : null };
  };
  const v2 = hierarchies.ownPath(0) ?? '/';
  // As bpf/cgroup.h: on hybrid hosts a task that has not left the v2 root goes by its v1 cgroup.
  const hierarchy = v2 !== '/' ? 0 : (hierarchies.wanted.find((id) => id !== 0 && (hierarchies.ownPath(id) ?? '/') !== '/') ?? 0);
  const otherPath = `/kbtop-bench-${process.pid}`;
  mkdirSync(hierarchies.directory(0, otherPath) ?? '');
  return { own: scope(hierarchy, hierarchies.ownPath(hierarchy) ?? '/'), other: scope(0, otherPath), close: () => rmdirSync(hierarchies.directory(0, otherPath) ?? '') };
}

export async function run(): Promise<readonly BenchRow[]> {
  const addon = loadAddon();
  const hierarchies = Hierarchies.read();
  const scopes = makeScopes(hierarchies);
  const engine = new KernelEngine(addon, { v1Fallback: hierarchies.v1Fallback, debug: () => {} });
  const pane = new SyscallsProbe({ level: 'off', budgetPct: 1000 });
  const capabilities = await engine.capabilities();

  const arm = async (draft: RuleDraft, scope: ScopeCgroup): Promise<EngineFault> => {
    const result = validateRule({ signal: 'SIGCONT', maxHits: 1_000_000_000, duration: 900_000, ...draft });
    if (!result.ok) throw new Error(result.mistakes[0]?.message);
    return await engine.arm(result.value, selectForRule(result.value, capabilities), [scope], true);
  };
  /** A dry run of a rule; the workload calls getppid. */
  const variant = (name: string, draft: RuleDraft, scope: ScopeCgroup, stopped = false): Variant => {
    let id = 0, timer: NodeJS.Timeout | undefined;
    return {
      name,
      async on(work) {
        ({ id } = await arm(draft, scope));
        if (stopped) await engine.disarm(id);
        timer = setInterval(() => engine.poll(), 50);
        await work();
      },
      async off() {
        clearInterval(timer);
        await engine.disarm(id);
        await sleep(50);
      },
    };
  };
  const same = { syscalls: ['getppid'] }, another = { syscalls: ['getpgid'] };
  const bystander = [variant('another call', another, scopes.other), variant('the same call', same, scopes.other)];
  const target = [variant('counted', { ...same, probability: 1e-6 }, scopes.own), variant('hit', same, scopes.own)];
  const idle = variant('stopped again', same, scopes.other, true);

  try {
    const [aloneAnother, aloneSame, idled] = await overheads('syscall', [...bystander, idle], ROUNDS);
    const [counted, hit] = await overheads('syscall', target, ROUNDS);
    // From here on the pane counts, too, and what is measured is what comes on top of it.
    await pane.start({ addon, cgroupV1Fallback: hierarchies.v1Fallback, cpus: addon.possibleCpus(), clockOffsetMs: 0, debug: () => {} });
    pane.setLevel('count');
    const [besideAnother, besideSame] = await overheads('syscall', bystander, ROUNDS);
    const row = (name: string, mine: Overhead | undefined, limit: number | null, note: string): BenchRow => {
      const ns = mine?.ns ?? null;
      return { name: `chaos: ns per call, ${name}`, ours: ns, peer: null, ratio: ns, aim: limit === null ? 'shown' : `<= ${limit} ns`, met: limit === null || ns === null ? null : ns <= limit, note: `${note}; ${mine?.note}` };
    };
    return [
      row('not the target, another call, beside the syscalls pane', besideAnother, AIM_NS, 'added to what the pane costs'),
      row('not the target, the same call, beside the syscalls pane', besideSame, AIM_NS, 'added to what the pane costs'),
      row('not the target, another call, no pane', aloneAnother, null, 'entering the tracepoints included'),
      row('not the target, the same call, no pane', aloneSame, null, 'entering the tracepoints included'),
      row('fault stopped again', idled, NOTHING_NS, 'nothing is attached'),
      row('the target, counted and not hit', counted, null, 'no pane'),
      row('the target, hit by a dry run and told', hit, null, 'no pane; what the ring has no room for is counted instead'),
    ];
  } finally {
    pane.close();
    engine.close();
    scopes.close();
  }
}
