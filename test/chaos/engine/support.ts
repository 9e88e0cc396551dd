/** Rules, targets and engines for tests that inject faults. */
import { type ChildProcess, spawn } from 'node:child_process';
import { loadAddon } from '../../../src/bpf/load.ts';
import type { EngineFault, ScopeCgroup } from '../../../src/chaos/engine/engine.ts';
import { KernelEngine } from '../../../src/chaos/engine/kernel-engine.ts';
import type { Hit } from '../../../src/chaos/hit.ts';
import { selectForRule } from '../../../src/chaos/select.ts';
import type { RuleDraft } from '../../../src/chaos/validate.ts';
import { hierarchies, ownPath, TestCgroup, until } from '../../workloads/cgroup.ts';
import { Workload } from '../../workloads/workload.ts';
import { ruleOf } from '../arbitrary.ts';

export const scopeOf = (...groups: readonly TestCgroup[]): ScopeCgroup[] => groups.map(({ key, hierarchy, directory }) => ({ key, directory: hierarchy === 0 ? directory : null }));

/** An engine that is closed with its scope, and what it told. */
export class Engine {
  readonly kernel: KernelEngine;
  readonly hits: Hit[] = [];
  readonly log: string[] = [];

  constructor() {
    this.kernel = new KernelEngine(loadAddon(), { v1Fallback: hierarchies.v1Fallback, debug: (text) => this.log.push(text) });
  }

  /** Arm for these cgroups. */
  async arm(draft: RuleDraft, groups: readonly TestCgroup[], dryRun = false): Promise<EngineFault> {
    const rule = ruleOf(draft);
    return await this.kernel.arm(rule, selectForRule(rule, await this.kernel.capabilities()), scopeOf(...groups), dryRun);
  }

  /** Of an armed fault, now; new hits are kept. */
  status(id: number): EngineFault | undefined {
    const { faults, hits } = this.kernel.poll();
    this.hits.push(...hits.map(({ hit }) => hit));
    return faults.find((fault) => fault.id === id);
  }

  /** Wait until the kernel says that it hits no more. */
  over(id: number): Promise<EngineFault> {
    return until('the end of the fault', () => {
      const fault = this.status(id);
      return fault?.over != null && fault;
    });
  }

  [Symbol.dispose](): void {
    this.kernel.close();
  }
}

/** A program to hit and one in the cgroup beside it that must not notice, both having begun. */
export async function withBoth(name: string, body: (hit: Workload, spared: Workload, group: TestCgroup, beside: TestCgroup) => Promise<void>): Promise<void> {
  await using group = new TestCgroup(ownPath('hit'));
  await using beside = new TestCgroup(ownPath('spared'));
  await using hit = new Workload(name, [group]);
  await using spared = new Workload(name, [beside]);
  await Promise.all([hit.ask('pid'), spared.ask('pid')]);
  await body(hit, spared, group, beside);
}

/** A process that arms a rule for a cgroup, prints a line, and goes on as told until it is killed. */
export function armingProcess(group: TestCgroup, draft: RuleDraft, then = ''): ChildProcess {
  const script = `
    import { Engine } from ${JSON.stringify(new URL(import.meta.url).pathname)};
    const engine = new Engine();
    await engine.arm(${JSON.stringify(draft)}, [${JSON.stringify({ key: group.key, hierarchy: 0, directory: group.directory })}]);
    console.log('armed');
    setInterval(() => {}, 1000);
    ${then}`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
}
