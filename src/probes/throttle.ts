/**
 * How much a cgroup's CPU quota (CFS bandwidth) held it back: cpu.stat and cpu.max on v2, cpu.stat and cpu.cfs_* on v1.
 * A quota higher up, such as a pod's own, throttles its containers too, so ancestors are asked as well.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CgroupKey } from './probe.ts';

/** Where a cgroup's files are. `cpu`: absolute directory that holds its cpu.stat; null when it has none. */
export type PathsOf = (cgroup: CgroupKey) => { readonly cpu: string | null };

/** Reads a file, or null when it is not there. */
export type ReadText = (path: string) => string | null;

/** Directories above a cgroup that are asked: container, pod, QoS class, kubepods, and some room. */
const MAX_ANCESTORS = 8;
/** Quotas change rarely: they are read again after this many ticks. */
const QUOTA_TICKS = 30;

/** `nr_throttled` of a cpu.stat; null when it has none (the root, or no cpu controller). */
export function throttledPeriods(cpuStat: string): number | null {
  const match = /^nr_throttled (\d+)$/m.exec(cpuStat);
  return match ? Number(match[1]) : null;
}

/** Period of the quota in microseconds; null when there is no quota. @param cpuMax text of a v2 cpu.max */
export function periodOfV2(cpuMax: string): number | null {
  const match = /^(\d+) (\d+)/.exec(cpuMax);
  return match ? Number(match[2]) : null;
}

/** The same from v1's cpu.cfs_quota_us and cpu.cfs_period_us. */
export function periodOfV1(quotaUs: string, periodUs: string): number | null {
  return Number(quotaUs) > 0 && Number(periodUs) > 0 ? Number(periodUs) : null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

interface Group {
  /** No cpu controller's directory, or its root: remembered, so that the files are not looked for at every tick. */
  absent: boolean;
  periodUs: number | null;
  quotaTick: number;
  /** nr_throttled at `tick`. */
  throttled: number | null;
  tick: number;
  pct: number | null;
}

export class ThrottleReader {
  #pathsOf: PathsOf;
  #read: ReadText;
  #groups = new Map<string, Group>();
  #tick = 0;

  constructor(pathsOf: PathsOf, read: ReadText = readText) {
    this.#pathsOf = pathsOf;
    this.#read = read;
  }

  /** Begin a tick; groups that nobody asked about for long are forgotten. */
  begin(): void {
    this.#tick++;
    if (this.#tick % QUOTA_TICKS !== 0) return;
    for (const [path, group] of this.#groups) if (this.#tick - group.tick > QUOTA_TICKS) this.#groups.delete(path);
  }

  /**
   * Share of the interval, 0..100, whose quota periods ended with the cgroup (or the ancestor that suffered most)
   * throttled. Null without a quota, and the first time a cgroup is asked about.
   */
  pct(cgroup: CgroupKey, intervalMs: number): number | null {
    let worst: number | null = null;
    let path = this.#pathsOf(cgroup).cpu;
    for (let i = 0; path !== null && i < MAX_ANCESTORS; i++) {
      const group = this.#group(path, intervalMs);
      if (group === null) break;
      if (group.pct !== null) worst = Math.max(worst ?? 0, group.pct);
      const up = dirname(path);
      path = up === path ? null : up;
    }
    return worst;
  }

  /** Null: not a cgroup directory with a cpu controller, or its root. */
  #group(path: string, intervalMs: number): Group | null {
    let group = this.#groups.get(path);
    if (group?.tick === this.#tick) return group.absent ? null : group;
    if (!group) group = { absent: false, periodUs: null, quotaTick: -Infinity, throttled: null, tick: 0, pct: null };
    if (this.#tick - group.quotaTick >= QUOTA_TICKS) {
      const period = this.#period(path);
      group.absent = period === undefined;
      group.periodUs = period ?? null;
      group.quotaTick = this.#tick;
    }
    if (group.absent) {
      group.tick = this.#tick;
      this.#groups.set(path, group);
      return null;
    }
    const throttled = group.periodUs === null ? null : throttledPeriods(this.#read(join(path, 'cpu.stat')) ?? '');
    // Nobody asks about a cgroup whose tasks do not wait, and without waiting there is no throttling: gaps do no harm.
    const known = throttled !== null && group.throttled !== null && group.periodUs !== null;
    group.pct = known ? Math.min(100, ((throttled - (group.throttled ?? 0)) * (group.periodUs ?? 0)) / (10 * intervalMs)) : null;
    group.throttled = throttled;
    group.tick = this.#tick;
    this.#groups.set(path, group);
    return group;
  }

  /** Undefined: no such file, on neither version. */
  #period(path: string): number | null | undefined {
    const max = this.#read(join(path, 'cpu.max'));
    if (max !== null) return periodOfV2(max);
    const quota = this.#read(join(path, 'cpu.cfs_quota_us'));
    return quota === null ? undefined : periodOfV1(quota, this.#read(join(path, 'cpu.cfs_period_us')) ?? '');
  }
}
