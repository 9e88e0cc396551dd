/** A kernel fault in the kernel's own words: what the engine does for it, without the engine, to see what it tells nobody. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAddon } from '../../src/bpf/load.ts';
import { BootClock } from '../../src/chaos/engine/boot-clock.ts';
import { kernelCapabilities } from '../../src/chaos/engine/capabilities.ts';
import { FaultCore } from '../../src/chaos/engine/core.ts';
import { KernelFaults } from '../../src/chaos/engine/kernel-faults.ts';
import type { Counters, KernelHit } from '../../src/chaos/engine/layout.ts';
import { planRule } from '../../src/chaos/engine/rule-plan.ts';
import type { KernelFault, Rule } from '../../src/chaos/rule.ts';
import { parseScenario, type Scenario } from '../../src/chaos/scenario.ts';
import { selectForRule } from '../../src/chaos/select.ts';
import { hierarchies, type TestCgroup } from '../workloads/cgroup.ts';

const SLOT = 0;
const HOOK = 1n << 20n;
const debug = (text: string): void => { if (process.env['KBTOP_TEST_DEBUG'] !== undefined) console.error(text); };

export async function scenario(name: string): Promise<Scenario> {
  const parsed = await parseScenario(readFileSync(join(import.meta.dirname, '../../scenarios', `${name}.yaml`), 'utf8'));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.mistakes));
  return parsed.value;
}

export const ruleNamed = ({ rules }: Scenario, name: string): Rule => {
  const found = rules.find((rule) => rule.name === name);
  if (found === undefined) throw new Error(`no rule ${name}`);
  return found;
};

const loadCore = (): Promise<FaultCore> => FaultCore.load(loadAddon(), { v1Fallback: hierarchies.v1Fallback, debug });

function attach(core: FaultCore, fault: KernelFault, backend: 'fmod_ret' | 'kprobe'): Promise<KernelFaults> {
  const { object } = core;
  return KernelFaults.attach(loadAddon(), { rules: object.map('rules'), rule_states: object.map('rule_states'), tokens: object.map('tokens') }, fault, { hook: HOOK, backend, debug });
}

/** Why it cannot be attached; "it can". */
export async function refusalOf(fault: KernelFault, backend: 'fmod_ret' | 'kprobe' = 'fmod_ret'): Promise<string> {
  const core = await loadCore();
  try {
    (await attach(core, fault, backend)).close();
    return 'it can';
  } catch (error) {
    return (error as Error).message;
  } finally {
    core.close();
  }
}

export class Fault {
  readonly kernel: KernelFaults;
  readonly #core: FaultCore;

  private constructor(core: FaultCore, kernel: KernelFaults) {
    this.#core = core;
    this.kernel = kernel;
  }

  static async arm(rule: Rule, groups: readonly TestCgroup[]): Promise<Fault> {
    if (rule.kernel === null) throw new Error('no kernel fault');
    const capabilities = await kernelCapabilities(loadAddon(), debug);
    const plan = planRule(rule, selectForRule(rule, capabilities), capabilities, false);
    const core = await loadCore();
    try {
      const fault = new Fault(core, await attach(core, rule.kernel, rule.backend === 'kprobe' ? 'kprobe' : 'fmod_ret'));
      await core.attach();
      const armedNs = new BootClock(loadAddon()).nowNs();
      core.put(SLOT, { ...plan.rule, id: 1n, armedNs, untilNs: armedNs + BigInt(rule.durationMs) * 1_000_000n }, {
        calls: new Map(plan.calls.map(({ packed, places }) => [packed, { places, hooks: HOOK }])), cgroups: new Set(groups.map(({ key }) => key)),
      });
      return fault;
    } catch (error) {
      core.close();
      throw error;
    }
  }

  get counters(): Counters {
    return this.#core.counters(SLOT);
  }

  hits(): KernelHit[] {
    return this.#core.drain();
  }

  disarm(): void {
    this.#core.disarm(SLOT);
  }

  close(): void {
    this.disarm();
    this.kernel.close();
    this.#core.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
