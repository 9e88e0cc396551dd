/** Measures how long directories exist, from the kernel's own notices: cgroups, a runtime's bundles, links to logs. */
import { type FSWatcher, lstatSync, watch } from 'node:fs';
import { join } from 'node:path';

export interface Life {
  /** performance.now() of the notices; `to` is null as long as it exists. */
  readonly from: number;
  to: number | null;
}

/** What comes and goes in one directory. */
export class Lives {
  readonly #watcher: FSWatcher;
  readonly seen = new Map<string, Life>();

  constructor(directory: string) {
    this.#watcher = watch(directory, (_, name) => {
      if (name === null) return;
      const life = this.seen.get(name);
      // Not what a link points to: the link.
      const exists = lstatSync(join(directory, name), { throwIfNoEntry: false }) !== undefined;
      if (exists && !life) this.seen.set(name, { from: performance.now(), to: null });
      else if (!exists && life) life.to ??= performance.now();
    });
  }

  /** Milliseconds, of those that came and went. */
  get durations(): number[] {
    return [...this.seen.values()].flatMap(({ from, to }) => (to === null ? [] : [to - from])).sort((a, b) => a - b);
  }

  close(): void {
    this.#watcher.close();
  }
}
