/** What the names in one directory of logs tell, kept for a while after they are gone. */
import type { BoundedFiles } from '../files/bounded-files.ts';
import { DirectoryWatch } from '../files/directory-watch.ts';
import { resolveHostPath } from '../files/resolve.ts';
import type { HostPath } from '../host-path.ts';

/** How long the name of a container that has ended is kept, milliseconds. */
const GONE_MS = 10 * 60_000;
const MAX_NAMES = 20_000;

interface Known<T> {
  readonly told: T;
  /** When its file was last seen, performance.now(). */
  seenAt: number;
}

export interface LogDirectoryOptions<T> {
  readonly files: BoundedFiles;
  readonly host: HostPath;
  /** On the host. */
  readonly path: string;
  readonly parse: (name: string) => T | null;
  /** What it is looked up by. */
  readonly idOf: (told: T) => string;
  readonly learned: (id: string) => void;
}

export class LogDirectory<T> {
  readonly #options: LogDirectoryOptions<T>;
  /** The longest unseen first, nearly. */
  readonly #known = new Map<string, Known<T>>();
  #watch: DirectoryWatch | null = null;
  #identity: string | null = null;
  #reading: Promise<void> | null = null;
  #again = false;
  #closed = false;
  /** Null: not looked yet, or it is there; else the errno's name. */
  #code: string | null = null;
  #count = 0;

  constructor(options: LogDirectoryOptions<T>) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.host.join(this.#options.path);
  }

  /** Errno's name of why it cannot be read; null when it can. */
  get code(): string | null {
    return this.#code;
  }

  /** Names found in it that tell something. */
  get count(): number {
    return this.#count;
  }

  get watchTrouble(): string | null {
    return this.#watch?.trouble ?? null;
  }

  get(id: string): T | null {
    return this.#known.get(id)?.told ?? null;
  }

  /** Look again; one look at a time: called meanwhile, it looks once more. Never rejects. */
  read(): Promise<void> {
    this.#again = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      this.#code = await this.#look();
    }
  }

  async #look(): Promise<string | null> {
    const { files, host, path } = this.#options;
    const options = { hostPath: path };
    const directory = await resolveHostPath(host, files, path);
    if (directory === null) return 'ELOOP';
    const found = await files.stat(directory, options);
    if (found.value === null) return this.#lost(found.code);
    if (!found.value.directory) return this.#lost('ENOTDIR');
    this.#watchOver(directory, found.value.identity);
    const names = await files.list(directory, options);
    if (names.value === null) return this.#lost(names.code);
    let count = 0;
    for (const name of names.value.slice(0, MAX_NAMES)) if (this.#see(name)) count += 1;
    this.#count = count;
    this.#sweep();
    return null;
  }

  #lost(code: string): string {
    this.#count = 0;
    this.#sweep();
    return code;
  }

  /** Before its names are read, so that none is made unseen in between. */
  #watchOver(directory: string, identity: string): void {
    if (this.#closed || (this.#identity === identity && this.#watch?.ended === false)) return;
    this.#watch?.close();
    this.#identity = identity;
    this.#watch = new DirectoryWatch(directory, (name) => {
      if (this.#closed) return;
      if (name === null) void this.read();
      else this.#see(name);
    });
  }

  /** A name that was made or removed told the truth while it was there. True when it tells something. */
  #see(name: string): boolean {
    const told = this.#options.parse(name);
    if (told === null) return false;
    const id = this.#options.idOf(told);
    const known = this.#known.get(id);
    if (known) {
      known.seenAt = performance.now();
      return true;
    }
    this.#known.set(id, { told, seenAt: performance.now() });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_NAMES && oldest !== undefined) this.#known.delete(oldest);
    this.#options.learned(id);
    return true;
  }

  #sweep(): void {
    const before = performance.now() - GONE_MS;
    for (const [id, { seenAt }] of this.#known) if (seenAt < before) this.#known.delete(id);
  }

  close(): void {
    this.#closed = true;
    this.#watch?.close();
  }
}
