/**
 * The typed face of the native addon (native/): one BPF object file, its maps, programs and rings.
 * No policy here: what to load, attach and read is decided by the probes.
 *
 * Lifetime: `close()` detaches every link and frees every program and map; nothing is ever pinned, so the
 * kernel does the same when the process dies. Calls after close throw BpfError ERR_BPF_CLOSED; a second
 * close is a no-op.
 * Until the promise of `load()`, `attachAsync()` or `detachAsync()` settles, every other call on the object throws
 * ERR_BPF_STATE, but a close: that is done at the end of the work, and its promise rejects with ERR_BPF_CLOSED. Attaching and
 * detaching leave maps, rings, globals and counts of runs alone: these can be used meanwhile.
 */

/** Every error that the addon throws or rejects with. */
export interface BpfError extends Error {
  /** errno name ("EPERM"), or ERR_BPF_CLOSED, ERR_BPF_STATE (not loaded yet), ERR_BPF_FORMAT, ERR_BPF_ARGUMENT. */
  readonly code: string;
  /** Positive errno, 0 when there is none. */
  readonly errno: number;
  /** What libbpf printed during the call (without its "ulimit -l" advice); may be empty. */
  readonly libbpfLog: string;
  /** The kernel verifier's log of the failed program; may be empty. */
  readonly verifierLog: string;
}

export interface OpenOptions {
  /** Name in messages; default: the file name. */
  readonly name?: string;
  /** Program name -> load it or not; default: load all. */
  readonly autoload?: Readonly<Record<string, boolean>>;
  /** Values of .rodata/.data/.bss variables by name, set before load. Arrays and structs as raw bytes. */
  readonly globals?: Readonly<Record<string, number | bigint | boolean | Uint8Array>>;
  readonly maxEntries?: Readonly<Record<string, number>>;
  /** Extra map_flags set (or, negative, cleared) per map, e.g. BPF_F_NO_PREALLOC = 1. */
  readonly mapFlags?: Readonly<Record<string, number>>;
  /**
   * Program name -> the kernel function (of an fentry, fexit, fmod_ret or kprobe program), LSM hook or BTF tracepoint that
   * it goes to, instead of the one its section names. One that this kernel does not have is refused by load(), for a kprobe
   * by attach().
   */
  readonly attachTargets?: Readonly<Record<string, string>>;
  /**
   * Map name -> the map of that name of another loaded object, used instead of one's own: of the same type, key and value
   * size, not of variables. It lives as long as any of its objects. A shared ring may be drained through one object only.
   */
  readonly sharedMaps?: Readonly<Record<string, BpfMap>>;
  /** Ask for verifier logs of programs that load, too (level 1 or 2). Default 0: only of those that fail. */
  readonly logLevel?: 0 | 1 | 2;
}

export interface ProgramResult {
  readonly program: string;
  readonly ok: boolean;
  /** errno name or null. */
  readonly code: string | null;
  /** One line in words; null when ok. */
  readonly reason: string | null;
  /** libbpf and verifier output, for --debug. */
  readonly log: string;
}

export interface ProgramInfo {
  readonly name: string;
  readonly section: string;
  readonly loaded: boolean;
  readonly attached: boolean;
  /** Kernel program id; 0 when not loaded. */
  readonly id: number;
  /** Kernel link id, of one link when there are several; 0 when not attached, or attached through perf events (tracepoints before Linux 5.15). */
  readonly linkId: number;
}

/** What a per-CPU word is folded with over CPUs. */
export type Fold = 'sum' | 'max';

/** A map's entries as columns. Arrays are views into memory reused by the next read of the same map: copy to keep. */
export interface MapColumns {
  /** Number of entries. */
  readonly count: number;
  /** count * keySize raw bytes, row after row. */
  readonly keys: Uint8Array;
  /** One column per u64 word of the value, each `count` long (numbers are exact up to 2^53). */
  readonly words: readonly Float64Array[];
}

export interface BpfMap {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  /** Of one CPU's value, in bytes. */
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly id: number;
  /**
   * All entries in batches, per-CPU values folded in C++. The value must be made of u64 words only.
   * @param folds per word; default 'sum' for all.
   */
  read(folds?: readonly Fold[]): MapColumns;
  /** One value (all CPUs' values one after the other, each padded to 8 bytes, for a per-CPU map), or null. */
  lookup(key: Uint8Array): Uint8Array | null;
  /** flags: BPF_ANY 0, BPF_NOEXIST 1, BPF_EXIST 2. For a per-CPU map one CPU's value, written to every CPU, or all CPUs' values. */
  update(key: Uint8Array, value: Uint8Array, flags?: number): void;
  /** False when the key was not there. */
  delete(key: Uint8Array): boolean;
}

/** One drain's records: in `buffer`, each 8-byte aligned, at `offsets[i]` with `lengths[i]` bytes. Views are reused by the next drain. */
export interface Drained {
  readonly count: number;
  readonly buffer: ArrayBuffer;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  /** True when the ring still held records when the bound was reached. */
  readonly more: boolean;
}

export interface RingBuffer {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Copy out up to `maxBytes` of records (default: the reused buffer's size, 1 MiB) without blocking or waking anybody. */
  drain(maxBytes?: number): Drained;
  /** Bytes produced and not yet consumed. */
  pending(): number;
}

export interface BpfObject {
  readonly name: string;
  /** Off the main thread. Programs that the kernel refuses are dropped with their reason and the rest load; rejects when nothing can load. */
  load(): Promise<ProgramResult[]>;
  /** Attach the named programs (default: every loaded one that can be attached by its section). Never throws for a program's own failure. */
  attach(programs?: readonly string[]): ProgramResult[];
  /** The same off the main thread: the first program on a kernel tracepoint costs 10 to 25 ms of waiting for other CPUs. */
  attachAsync(programs?: readonly string[]): Promise<ProgramResult[]>;
  /** Attach a cgroup (or lsm_cgroup) program to a cgroup v2 directory, or one after the other to several; detach() undoes all. */
  attachCgroup(program: string, directory: string): ProgramResult;
  /** Attach a kprobe or kretprobe program to a kernel function, or one after the other to several; detach() undoes all. */
  attachKprobe(program: string, kernelFunction: string): ProgramResult;
  /** Detach; a program that is not attached is left alone. */
  detach(programs?: readonly string[]): void;
  /** The same off the main thread: leaving a classic tracepoint costs some 70 ms of waiting for other CPUs. */
  detachAsync(programs?: readonly string[]): Promise<void>;
  programs(): ProgramInfo[];
  maps(): string[];
  map(name: string): BpfMap;
  ring(name: string): RingBuffer;
  /** Run an attached iterator program, e.g. SEC("iter/task"), to its end: the bytes it wrote with bpf_seq_write. */
  iterate(program: string): Uint8Array;
  /** A .bss/.data/.rodata variable by name: now, from the kernel, once loaded. Scalars as bigint, anything else as bytes. */
  getGlobal(name: string): bigint | Uint8Array;
  /** After load only .bss and .data can be set; takes effect at once. */
  setGlobal(name: string, value: number | bigint | boolean | Uint8Array): void;
  /** Nanoseconds spent in, and runs of, this object's programs, while the kernel collects BPF stats (see enableStats). */
  runStats(): { readonly runTimeNs: number; readonly runCount: number };
  /**
   * Runs of the named programs (default: of all) that the kernel skipped, since they were loaded: the program was already
   * running on that CPU, or, for classic tracepoints, any perf event's program or a map operation was. 0 before Linux 5.12.
   */
  missedRuns(programs?: readonly string[]): number;
  close(): void;
  /**
   * Closed at once for every later call, detached and freed off the main thread: resolves when that is done (or at
   * once when a `load()` or the like still runs, which then does it). Never rejects. See detachAsync() for why.
   */
  closeAsync(): Promise<void>;
}

/** Who is at the other end of a unix socket, as the kernel noted it when that end connected. */
export interface SocketPeer {
  /** 0 when it is in a pid namespace that cannot be seen from here. */
  readonly pid: number;
  /** Effective ids; the overflow id (mostly 65534) for one that this user namespace does not have. */
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

export interface Addon {
  /** Open an object file by path or from memory. Throws BpfError: ENOENT, ERR_BPF_FORMAT, ... */
  open(source: string | Uint8Array, options?: OpenOptions): BpfObject;
  /** Ask the kernel to time BPF programs (BPF_ENABLE_STATS) until the returned function is called or the process ends. Throws BpfError. */
  enableStats(): () => void;
  /** Number of possible CPUs. */
  possibleCpus(): number;
  /** CLOCK_MONOTONIC in nanoseconds, the clock of bpf_ktime_get_ns. */
  monotonicNs(): bigint;
  /** A file of a kernel file system that need not be mounted: at most 1 MiB of it. Throws BpfError. */
  readUnmounted(fileSystem: 'tracefs' | 'debugfs' | 'securityfs', path: string): string;
  /** By SO_PEERCRED and SO_PEERGROUPS (Linux 4.13). Throws BpfError: ENOTSOCK, ENODATA, ... @param socket its file descriptor */
  socketPeer(socket: number): SocketPeer;
  /** flock(2) of an open file or directory, exclusive, without waiting: goes with the descriptor or the process. False: another one has it. Throws BpfError. */
  tryLock(descriptor: number): boolean;
  /** Kernel ids of all links, programs and maps that exist now: for leak checks. */
  kernelIds(): { links: number[]; programs: number[]; maps: number[] };
  /** libbpf's version, "1.1". */
  readonly libbpfVersion: string;
}
