/**
 * Hands out the fast slots of bpf/syscalls.bpf.c: what is busy, a (cgroup, call) or a (cgroup, call, errno), gets one,
 * so that counting it needs no hash lookup. Only this side writes owners, only the kernel writes counts, and counts never go back, so a change
 * of owner loses nothing: a slot is first cleared, and given away one read later.
 */
import type { BpfMap } from '../bpf/addon.ts';

const SLOT_BITS = 12;
/** Reads without a count after which an owner may be asked to leave. */
const IDLE_READS = 30;
/** Owner changes per read: each is a system call of ours. */
const MAX_CHANGES = 512;

/** The same hash as count_fast() in bpf/syscalls.bpf.c. `cgroup` is given as its two halves. */
export function slotOf(cgroupLow: number, cgroupHigh: number, what: number): number {
  return Math.imul(cgroupLow ^ cgroupHigh ^ Math.imul(what, 0x9e3779b1), 0x85ebca6b) >>> (32 - SLOT_BITS);
}

export const ERROR_SHIFT = 16;

/** Who can own a slot. */
export interface SlotOwner {
  readonly cgroup: string;
  /** The call, or call | errno << ERROR_SHIFT. */
  readonly what: number;
  /** Written by SyscallSlots alone. */
  slot: number | null;
  /** How often it was counted the slow way since the last read. */
  slow: number;
}

interface Slot<Owner> {
  owner: Owner | null;
  leaving: boolean;
  last: number;
  lastChange: number;
}

export class SyscallSlots<Owner extends SlotOwner> {
  #owners: BpfMap;
  #counts: BpfMap;
  #slots = new Map<number, Slot<Owner>>();
  #reads = 0;

  constructor(owners: BpfMap, counts: BpfMap) {
    this.#owners = owners;
    this.#counts = counts;
  }

  /** Calls back with what each owner's slot counted since the last call. */
  read(grew: (owner: Owner, count: number) => void): void {
    if (this.#slots.size === 0) return;
    const words = this.#counts.read().words[0];
    this.#reads++;
    for (const [index, slot] of this.#slots) {
      const now = words?.[index] ?? 0;
      if (now !== slot.last && slot.owner) {
        grew(slot.owner, now - slot.last);
        slot.lastChange = this.#reads;
      }
      slot.last = now;
      if (slot.leaving) {
        slot.leaving = false;
        slot.owner = null;
      }
    }
  }

  /** Give slots to those that were counted the slow way, the busiest first. */
  assign(counted: readonly Owner[]): void {
    const candidates = counted.filter((one) => one.slow > 0 && one.slot === null).sort((a, b) => b.slow - a.slow);
    let changes = 0;
    for (const candidate of candidates) {
      if (changes >= MAX_CHANGES) return;
      if (this.#place(candidate)) changes++;
    }
  }

  #place(candidate: Owner): boolean {
    const cgroup = BigInt(candidate.cgroup);
    const first = slotOf(Number(cgroup & 0xffffffffn), Number(cgroup >> 32n), candidate.what);
    const places = [first, first ^ 1];
    for (const index of places) {
      let slot = this.#slots.get(index);
      if (slot?.owner) continue;
      if (!slot) this.#slots.set(index, (slot = { owner: null, leaving: false, last: 0, lastChange: 0 }));
      slot.owner = candidate;
      slot.lastChange = this.#reads;
      candidate.slot = index;
      this.#write(index, cgroup, candidate.what);
      return true;
    }
    for (const index of places) {
      const slot = this.#slots.get(index);
      if (!slot?.owner || slot.leaving || this.#reads - slot.lastChange < IDLE_READS) continue;
      slot.owner.slot = null;
      slot.leaving = true;
      this.#write(index, 0n, 0);
      return true;
    }
    return false;
  }

  #write(index: number, cgroup: bigint, what: number): void {
    const key = new Uint8Array(Uint32Array.of(index).buffer);
    this.#owners.update(key, new Uint8Array(BigUint64Array.of(cgroup, BigInt(what)).buffer));
  }
}
