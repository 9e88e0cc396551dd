/** inotify on one directory: the names of what is made, removed or renamed in it. */
import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';

export class DirectoryWatch {
  readonly #watcher: FSWatcher | null;
  #trouble: string | null = null;
  #ended = false;

  /**
   * Never throws; keeps no process alive.
   * @param changed gets the raw name; null when the directory itself was removed or renamed, or the kernel does not tell
   */
  constructor(directory: string, changed: (name: string | null) => void) {
    this.#watcher = this.#open(directory, changed);
  }

  #open(directory: string, changed: (name: string | null) => void): FSWatcher | null {
    try {
      return watch(directory, { persistent: false }, (event, name) => {
        // Writes to files come as 'change', and often.
        if (event !== 'rename') return;
        // The inode's number may be another directory's by now, so only this tells. It comes with the directory's own name.
        if (name === basename(directory)) this.#ended = true;
        changed(this.#ended ? null : name);
      }).on('error', (error: NodeJS.ErrnoException) => {
        this.#trouble = error.code ?? error.message;
      });
    } catch (error) {
      this.#trouble = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      return null;
    }
  }

  /** Name of the errno that keeps it from working; null when it works. ENOSPC: fs.inotify.max_user_watches. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** The directory itself was removed or renamed: what has its name now is not watched. */
  get ended(): boolean {
    return this.#ended;
  }

  close(): void {
    this.#watcher?.close();
  }
}
