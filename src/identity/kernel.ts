/**
 * The kernel side of identity, bpf/cgroups.bpf.c: cgroups as they come and go, and a walk over all tasks that sums
 * up each cgroup. Decodes its records and columns; what they mean is decided elsewhere.
 */
import { readFileSync } from 'node:fs';
import type { Addon, BpfObject, ProgramResult } from '../bpf/addon.ts';
import { objectPath } from '../bpf/objects.ts';
import { RecordReader, textOf } from '../bpf/records.ts';
import type { PathChange, PathRecord } from './cgroup-tree.ts';
import { type CgroupKey, cgroupKey } from './key.ts';

/** One cgroup's own tasks, without those of cgroups below it. */
export interface CgroupUse {
  readonly key: CgroupKey;
  /** Live threads at the last walk. */
  tasks: number;
  processes: number;
  /** CPU time its tasks ever used while they were in it, ns, counted since kbtop first saw it. Only grows. */
  cpuNs: number;
  /** The cgroup that its tasks' memory is charged to (with all cgroups below that one), and that charge. Null: the root, which has none. */
  memoryKey: CgroupKey | null;
  memoryBytes: number | null;
  /** The cgroup whose CPU quota holds its tasks; null: the root. */
  cpuKey: CgroupKey | null;
  /** A process in it: the init of its pid namespace if there is one. Null before the first was seen. */
  tgid: number | null;
  pidNs: number | null;
  nodename: string | null;
}

/** What one process used between two walks or more, all its threads together. */
export interface ProcessUse {
  readonly pid: number;
  /** In its own pid namespace; null when it was reaped meanwhile. */
  readonly nsPid: number | null;
  readonly comm: string;
  /** The cgroup of the thread that was met last. */
  key: CgroupKey;
  cpuNs: number;
  /** Threads. */
  tasks: number;
}

/** Words of struct cgroup_stats before its nodename. */
const STATS_WORDS = 17;
const NODENAME_OFFSET = STATS_WORDS * 8;
const CHANGES: readonly PathChange[] = ['seen', 'mkdir', 'rmdir', 'rename'];
/** RECORD_PROCESS of cgroups.bpf.c. */
const PROCESS = 4;
const PROCESS_BYTES = 48;
const TRUNCATED = 1;
const RECORD_HEADER = 24;
/** Walks that a cgroup without tasks stays in the kernel's map. */
const IDLE_WALKS = 120;
/** Walks that a removed one stays, so that its last tasks are charged: they are freed some time after they ended. */
const REMOVED_WALKS = 3;

const decoder = new TextDecoder();

/** Decode a struct path_record: names stand leaf first. */
function decodeRecord(view: DataView, offset: number): { record: PathRecord; bytes: number } {
  const key = view.getBigUint64(offset + 8, true).toString();
  const change = CHANGES[view.getUint16(offset + 16, true)] ?? 'seen';
  const flags = view.getUint16(offset + 18, true);
  const length = view.getUint16(offset + 22, true);
  const names = decoder.decode(new Uint8Array(view.buffer, view.byteOffset + offset + RECORD_HEADER, length)).split('\0').slice(0, -1);
  const path = `/${flags & TRUNCATED ? '…/' : ''}${names.toReversed().join('/')}`;
  return { record: { change, key, path: change === 'rmdir' ? null : path }, bytes: Math.ceil((RECORD_HEADER + length) / 8) * 8 };
}

/** Keys are long to make and seldom change: made when their parts do. */
class Use implements CgroupUse {
  readonly key: CgroupKey;
  tasks = 0;
  processes = 0;
  cpuNs = 0;
  memoryKey: CgroupKey | null = null;
  memoryBytes: number | null = null;
  cpuKey: CgroupKey | null = null;
  tgid: number | null = null;
  pidNs: number | null = null;
  nodename: string | null = null;
  nodenameHash = 0;
  live = false;
  #memoryId = 0;
  #cpuId = 0;

  constructor(key: CgroupKey) {
    this.key = key;
  }

  /** Whether it is another than before. */
  setMemory(hierarchy: number, id: number): boolean {
    if (id === this.#memoryId) return false;
    this.#memoryId = id;
    this.memoryKey = id === 0 ? null : cgroupKey(hierarchy, id);
    return true;
  }

  setCpu(hierarchy: number, id: number): void {
    if (id === this.#cpuId) return;
    this.#cpuId = id;
    this.cpuKey = id === 0 ? null : cgroupKey(hierarchy, id);
  }
}

/** The kernel's page size, from the auxiliary vector (AT_PAGESZ). */
function pageSize(): number {
  try {
    const auxv = readFileSync('/proc/self/auxv');
    for (let i = 0; i + 16 <= auxv.length; i += 16) if (auxv.readUInt32LE(i) === 6) return auxv.readUInt32LE(i + 8);
  } catch {
    // no /proc: every page size but one is rare
  }
  return 4096;
}

function firstFailure(results: readonly ProgramResult[]): ProgramResult | undefined {
  return results.find((result) => !result.ok);
}

export interface KernelOptions {
  readonly v1Fallback: boolean;
  /** Hierarchies whose directories are reported. */
  readonly hierarchies: readonly number[];
  readonly debug: (text: string) => void;
}

export class CgroupKernel {
  readonly #uses = new Map<CgroupKey, Use>();
  readonly #keys = new RecordReader();
  readonly #pageBytes = pageSize();
  /** Set once everything is attached. */
  #object: BpfObject | null = null;
  #loading: BpfObject | null = null;
  #results: ProgramResult[] = [];
  /** Value of walk_number, which begins so in cgroups.bpf.c. */
  #walk = 15;
  /** Raised whenever a cgroup comes, goes, gets or loses its tasks, or is charged to another memory cgroup. */
  topology = 0;
  /** Why some events are missing; null when all are seen. */
  degraded: string | null = null;
  #processes = new Map<number, ProcessUse>();
  #watchesProcesses = false;

  /** @throws Error with one line when the walk, on which all else rests, cannot run */
  async start(addon: Addon, options: KernelOptions): Promise<void> {
    const mask = options.hierarchies.reduce((bits, id) => bits | (1n << BigInt(Math.min(id, 63))), 0n);
    const object = addon.open(objectPath('cgroups'), { globals: { cgroup_v1_fallback: options.v1Fallback, hierarchy_mask: mask } });
    this.#loading = object;
    try {
      const loaded = await object.load();
      this.#results = [...loaded.filter((result) => !result.ok), ...await object.attachAsync()];
    } catch (error) {
      this.close();
      throw error;
    }
    for (const result of this.#results) if (result.log !== '') options.debug(result.log);
    const walk = this.#results.find((result) => result.program === 'walk');
    if (!walk?.ok) {
      this.close();
      throw new Error(`cannot walk the tasks: ${walk?.reason ?? 'the task iterator did not load'}; it needs Linux 5.11 or later`);
    }
    this.#object = object;
    this.watchProcesses(this.#watchesProcesses);
    const failed = firstFailure(this.#results);
    this.degraded = failed ? `short-lived containers may be missed: ${failed.program}: ${failed.reason ?? 'not attached'}` : null;
  }

  get object(): BpfObject | null {
    return this.#object;
  }

  get results(): readonly ProgramResult[] {
    return this.#results;
  }

  /** Have walks tell the processes that ran. @throws BpfError */
  watchProcesses(wanted: boolean): void {
    this.#watchesProcesses = wanted;
    if (!wanted) this.#processes.clear();
    this.#object?.setGlobal('tell_processes', wanted);
  }

  /** Those that the walks told since the last call. */
  takeProcesses(): Iterable<ProcessUse> {
    const taken = this.#processes;
    this.#processes = new Map();
    return taken.values();
  }

  /** Every cgroup that has or had tasks; changed in place by walk(). */
  get uses(): ReadonlyMap<CgroupKey, CgroupUse> {
    return this.#uses;
  }

  /** Cgroups made, removed and renamed since the last call, in the kernel's order. */
  drain(into: (record: PathRecord) => void): number {
    const ring = this.#object?.ring('events');
    if (!ring) return 0;
    let count = 0;
    for (;;) {
      const drained = ring.drain();
      const view = new DataView(drained.buffer);
      for (let i = 0; i < drained.count; i++) into(decodeRecord(view, drained.offsets[i] ?? 0).record);
      count += drained.count;
      if (!drained.more) return count;
    }
  }

  /** Visit every task once, then read the sums. @param into receives the path of each cgroup not met before */
  walk(into: (record: PathRecord) => void, removed: (key: CgroupKey) => boolean): void {
    const object = this.#object;
    if (!object) return;
    this.#walk++;
    object.setGlobal('walk_number', this.#walk);
    const bytes = object.iterate('walk');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let offset = 0; offset + RECORD_HEADER <= bytes.byteLength;) {
      if (view.getUint16(offset + 16, true) === PROCESS) {
        this.#process(view, offset);
        offset += PROCESS_BYTES;
        continue;
      }
      const { record, bytes: length } = decodeRecord(view, offset);
      into(record);
      offset += length;
    }
    this.#read(object, removed);
  }

  /** A struct process_record: one task's part of its process. */
  #process(view: DataView, offset: number): void {
    const cpuNs = Number(view.getBigUint64(offset, true));
    const key = view.getBigUint64(offset + 8, true).toString();
    const pid = view.getUint32(offset + 24, true);
    const known = this.#processes.get(pid);
    const tasks = view.getUint16(offset + 18, true);
    if (known) {
      known.cpuNs += cpuNs;
      known.key = key;
      known.tasks = tasks;
      return;
    }
    const comm = textOf(new Uint8Array(view.buffer, view.byteOffset + offset + 32, 16));
    this.#processes.set(pid, { pid, nsPid: view.getUint32(offset + 28, true) || null, comm, key, cpuNs, tasks });
  }

  #read(object: BpfObject, removed: (key: CgroupKey) => boolean): void {
    const map = object.map('cgroups');
    const columns = map.read();
    this.#keys.use(columns.keys.buffer);
    const [walk, tasks, processes, cpuNs, memoryPages, memoryHierarchy, memoryId, cpuHierarchy, cpuId, tgid, pidNs, nodenameHash] = columns.words;
    if (!walk || !tasks || !processes || !cpuNs || !memoryPages || !memoryHierarchy || !memoryId || !cpuHierarchy || !cpuId || !tgid || !pidNs || !nodenameHash) {
      throw new Error('cgroups.bpf.o is not of this version');
    }
    const stale: { key: CgroupKey; raw: Uint8Array }[] = [];
    const rawKey = (row: number): Uint8Array => columns.keys.slice(row * 8, row * 8 + 8);
    for (let row = 0; row < columns.count; row++) {
      const key = this.#keys.id(columns.keys.byteOffset + row * 8);
      let use = this.#uses.get(key);
      if (!use) this.#uses.set(key, (use = new Use(key)));
      const age = this.#walk - (walk[row] ?? 0);
      const live = age === 0;
      const recharged = use.setMemory(memoryHierarchy[row] ?? 0, memoryId[row] ?? 0);
      if (recharged || live !== use.live) this.topology++;
      use.live = live;
      use.tasks = live ? tasks[row] ?? 0 : 0;
      use.processes = live ? processes[row] ?? 0 : 0;
      use.cpuNs = cpuNs[row] ?? 0;
      use.memoryBytes = live && use.memoryKey !== null ? (memoryPages[row] ?? 0) * this.#pageBytes : null;
      use.setCpu(cpuHierarchy[row] ?? 0, cpuId[row] ?? 0);
      use.tgid = tgid[row] || null;
      use.pidNs = pidNs[row] || null;
      const hash = nodenameHash[row] ?? 0;
      if (hash !== use.nodenameHash) {
        use.nodenameHash = hash;
        use.nodename = this.#nodename(object, rawKey(row)) ?? use.nodename;
      }
      if (age > REMOVED_WALKS && (age > IDLE_WALKS || removed(key))) stale.push({ key, raw: rawKey(row) });
    }
    for (const { key, raw } of stale) {
      map.delete(raw);
      this.#uses.delete(key);
      this.topology++;
    }
  }

  #nodename(object: BpfObject, key: Uint8Array): string | null {
    const bytes = object.map('cgroups').lookup(key)?.subarray(NODENAME_OFFSET);
    if (!bytes) return null;
    const end = bytes.indexOf(0);
    return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end)) || null;
  }

  close(): void {
    this.#loading?.close();
    this.#loading = null;
    this.#object = null;
  }
}
