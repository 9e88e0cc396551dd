/** A fault that the injector holds, from its arming to its end. */
import type { AuditArmed, AuditReason } from '../audit.ts';
import type { FaultStatus, Permits } from '../door.ts';
import type { EngineFault } from '../engine/engine.ts';
import type { Pin } from './targets.ts';

/** Counters that the kernel keeps. */
const COUNTERS = ['matched', 'hits', 'acted', 'missed', 'unreadable', 'throttled', 'lost'] as const;

export class Held {
  readonly engineId: number;
  readonly pin: Pin;
  readonly roots: readonly string[];
  readonly permits: Permits;
  readonly armed: AuditArmed;
  /** Cgroups that were judged. */
  readonly known: Set<string>;
  status: FaultStatus;
  /** Something changed that kbtop was not told yet. */
  dirty = true;
  /** Hits that nobody was there to read. */
  #dropped = 0;
  /** Under way or done, once it ends. */
  ending: Promise<void> | null = null;

  constructor(fault: EngineFault, about: Pick<FaultStatus, 'id' | 'rule' | 'text' | 'targetName' | 'cgroups' | 'dryRun'> & { readonly pin: Pin; readonly roots: readonly string[]; readonly permits: Permits; readonly armed: AuditArmed }) {
    const { pin, roots, permits, armed, ...rest } = about;
    this.engineId = fault.id;
    this.pin = pin;
    this.roots = roots;
    this.permits = permits;
    this.armed = armed;
    this.known = new Set(rest.cgroups);
    const { backends, armedAt, deadline, matched, hits, acted, missed, unreadable, throttled, lost } = fault;
    this.status = { ...rest, auditId: armed.id, backends, armedAt, deadline, matched, hits, acted, missed, unreadable, throttled, lost, state: 'armed', endedAt: null, endReason: null, endDetail: null };
  }

  count(fault: EngineFault): void {
    const { status } = this;
    const counted = { ...status, ...Object.fromEntries(COUNTERS.map((key) => [key, fault[key]])), lost: fault.lost + this.#dropped };
    if (COUNTERS.every((key) => status[key] === counted[key])) return;
    this.status = counted;
    this.dirty = true;
  }

  drop(): void {
    this.#dropped++;
    this.status = { ...this.status, lost: this.status.lost + 1 };
    this.dirty = true;
  }

  /** Its target has other cgroups now. */
  move(cgroups: readonly string[]): boolean {
    for (const key of cgroups) this.known.add(key);
    const before = new Set(this.status.cgroups);
    if (before.size === cgroups.length && cgroups.every((key) => before.has(key))) return false;
    this.status = { ...this.status, cgroups };
    this.dirty = true;
    return true;
  }

  end(reason: AuditReason, detail: string | null): void {
    this.status = { ...this.status, state: 'ended', endedAt: Date.now(), endReason: reason, endDetail: detail };
    this.dirty = true;
  }
}
