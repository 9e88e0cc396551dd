/** Real probes on the real kernel, for tests. */
import type { ProbeContext, Probe, ProbeTick } from '../../src/probes/probe.ts';
import type { PaneId, StreamTotal } from '../../src/frame/frame.ts';
import { loadAddon } from '../../src/bpf/load.ts';
import { hierarchies } from '../workloads/cgroup.ts';

export const addon = loadAddon();

/** What the manager would give. */
export function probeContext(): ProbeContext {
  return {
    addon,
    cgroupV1Fallback: hierarchies.v1Fallback,
    cpus: addon.possibleCpus(),
    clockOffsetMs: Date.now() - Number(addon.monotonicNs()) / 1e6,
    debug: () => {},
  };
}

/** A started probe that the test ticks by hand; closed at the end of its block. */
export class Live<P extends PaneId> {
  readonly probe: Probe<P>;
  #seq = 0;

  private constructor(probe: Probe<P>) {
    this.probe = probe;
  }

  static async start<P extends PaneId>(probe: Probe<P>): Promise<Live<P>> {
    const live = Live.create(probe);
    await live.begin();
    return live;
  }

  static create<P extends PaneId>(probe: Probe<P>): Live<P> {
    return new Live(probe);
  }

  /** Start the probe; its first interval begins now. */
  async begin(): Promise<void> {
    await this.probe.start(probeContext());
    this.tick();
  }

  tick(): ProbeTick<P> {
    return this.probe.tick({ seq: ++this.#seq, ms: 1000 });
  }

  [Symbol.dispose](): void {
    this.probe.close();
  }
}

/** The total of one container; zero when it has none. */
export function totalOf(totals: readonly StreamTotal[] | undefined, container: string): StreamTotal {
  return totals?.find((total) => total.container === container) ?? { container, count: 0, errors: {} };
}

/** How often each value comes. */
export function tally<T>(values: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
