/** Arms one rule with the parts that faults are made of, as their engine does, and says what came of it. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { BpfObject } from '../../src/bpf/addon.ts';
import { loadAddon } from '../../src/bpf/load.ts';
import { objectPath } from '../../src/bpf/objects.ts';
import { BACKEND_NAMES, type BackendName } from '../../src/chaos/backends.ts';
import { FD_ARGUMENTS, PATH_ARGUMENTS } from '../../src/chaos/call-arguments.ts';
import { FaultCore } from '../../src/chaos/engine/core.ts';
import { KernelFaults } from '../../src/chaos/engine/kernel-faults.ts';
import type { Counters, KernelHit } from '../../src/chaos/engine/layout.ts';
import { ABIS, type Arch, expand } from '../../src/chaos/families.ts';
import type { Rule } from '../../src/chaos/rule.ts';
import { parseScenario, type Scenario } from '../../src/chaos/scenario.ts';
import { planRule, type RulePlan } from '../../src/chaos/scenario-choice.ts';
import type { ChaosCapabilities } from '../../src/chaos/select.ts';
import { ABI_NAMES } from '../../src/frame/syscall-names/index.ts';
import { hierarchies, type TestCgroup } from '../workloads/cgroup.ts';
import { kernel } from './kernel.ts';

const ARCH: Arch = process.arch === 'arm64' ? 'arm64' : 'x86_64';
const ABI_SHIFT = 10;
const SLOT = 0;
/** Above those of cgroups. */
const HOOK = 100;

/** CLOCK_BOOTTIME, ns, to a hundredth of a second. */
const bootNs = (): bigint => BigInt(Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e9));

function injectable(): ReadonlySet<string> | null {
  try {
    return new Set(readFileSync('/sys/kernel/debug/error_injection/list', 'utf8').split('\n').map((line) => line.split(/\s/)[0] ?? ''));
  } catch {
    return null;
  }
}

const securityFunctions = (): ReadonlySet<string> => new Set(Array.from(readFileSync('/proc/kallsyms', 'utf8').matchAll(/ [tT] (security_\w+)$/gm), ([, name = '']) => name));

/** Of this kernel, as far as errors go. */
export function capabilities(): ChaosCapabilities {
  const usable: Partial<Record<BackendName, boolean>> = { fmod_ret: kernel.errorInjection, kprobe: kernel.kprobeOverride, fmod_ret_security: kernel.fmodRetSecurity };
  return {
    arch: ARCH, injectable: injectable(), securityFunctions: securityFunctions(), lsmHooks: null, cgroupAnyErrno: true, maxDelayUs: 0,
    backends: Object.fromEntries(BACKEND_NAMES.map((name) => [name, { usable: usable[name] === true, reason: usable[name] === true ? 'ok' : 'not on this kernel' }])) as ChaosCapabilities['backends'],
  };
}

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

export class Fault {
  readonly core: FaultCore;
  readonly plan: RulePlan;
  /** Null: it acts on security hooks. */
  readonly kernel: KernelFaults | null;
  readonly #objects: readonly BpfObject[];

  private constructor(core: FaultCore, plan: RulePlan, kernel: KernelFaults | null, objects: readonly BpfObject[]) {
    this.core = core;
    this.plan = plan;
    this.kernel = kernel;
    this.#objects = objects;
  }

  static async arm(rule: Rule, groups: readonly TestCgroup[]): Promise<Fault> {
    const debug = (text: string): void => { if (process.env['KBTOP_TEST_DEBUG'] !== undefined) console.error(text); };
    const plan = planRule(rule, capabilities());
    if (plan.obstacles.length > 0) throw new Error(plan.obstacles.join('; '));
    const core = await FaultCore.load(loadAddon(), { v1Fallback: hierarchies.v1Fallback, debug });
    try {
      const attached = plan.selections[0]?.attachment;
      const backend = attached?.backend;
      const kernelFaults = rule.kernel !== null && (backend === 'fmod_ret' || backend === 'kprobe') ? await KernelFaults.attach(loadAddon(), core.object, rule.kernel, { hook: HOOK, backend, debug }) : null;
      const objects = kernelFaults === null ? await onSecurityHooks(core, plan) : [];
      const fault = new Fault(core, plan, kernelFaults, objects);
      await fault.#put(rule, groups);
      return fault;
    } catch (error) {
      core.close();
      throw error;
    }
  }

  async #put(rule: Rule, groups: readonly TestCgroup[]): Promise<void> {
    const now = bootNs();
    const { effect, where } = rule;
    const value = effect.kind === 'error' ? constants.errno[effect.errno as keyof typeof constants.errno] : 0;
    const calls = new Map(expand(rule.syscalls, ABIS[ARCH]).map(({ abi, nr, name }) => [
      ABI_NAMES.indexOf(abi) + 1 << ABI_SHIFT | nr,
      { path: PATH_ARGUMENTS.get(name)?.[0] ?? null, fd: FD_ARGUMENTS.get(name)?.[0] ?? null, address: null },
    ]));
    await this.core.arm(SLOT, {
      id: 1n, armedNs: now - 20_000_000n, untilNs: now + BigInt(rule.durationMs) * 1_000_000n, effect: 'error', value: BigInt(value), dryRun: false, yields: false, hook: HOOK,
      skip: rule.skip, every: rule.every, last: rule.last ?? 0, p32: BigInt(Math.round(rule.probability * 2 ** 32)), seed: BigInt(rule.seed), maxHits: rule.maxHits,
      uid: where.uid, fd: where.fd, port: null, comm: where.comm, path: where.path,
    }, { calls, cgroups: new Set(groups.map(({ key }) => key)) });
  }

  get counters(): Counters {
    return this.core.counters(SLOT);
  }

  hits(): KernelHit[] {
    return this.core.drain();
  }

  disarm(): void {
    this.core.disarm(SLOT);
  }

  close(): void {
    this.disarm();
    this.kernel?.close();
    for (const object of this.#objects) object.close();
    this.core.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** One instance of bpf/chaos/act.bpf.c on each hook that the plan names. */
async function onSecurityHooks(core: FaultCore, { selections }: RulePlan): Promise<BpfObject[]> {
  const hooks = new Set(selections.flatMap(({ attachment }) => (attachment?.kind === 'hooks' ? attachment.hooks : [])));
  const objects: BpfObject[] = [];
  for (const hook of hooks) {
    const object = loadAddon().open(objectPath('chaos/act'), {
      globals: { own_hook: HOOK }, attachTargets: { modify: hook },
      autoload: { modify: true, override: false, deny: false, deny_cgroup: false, modify_holding: false, deny_holding: false },
      sharedMaps: { rules: core.object.map('rules'), rule_states: core.object.map('rule_states'), tokens: core.object.map('tokens') },
    });
    objects.push(object);
    await object.load();
    const failed = object.attach(['modify']).find(({ ok }) => !ok);
    if (failed) throw new Error(`${hook}: ${failed.reason}`);
  }
  return objects;
}
