/** Names of users and groups, from /etc/passwd and /etc/group. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MAX_BYTES = 4 * 1024 * 1024;
/** How long what was read is good for, milliseconds: who floods a session must not make it read all day. */
const FRESH_MS = 5000;
/** Of names on screens. */
const MAX_NAME = 64;

/** Names and ids, in the files' order. */
type Entries = readonly (readonly [name: string, id: number])[];

function read(path: string): Entries {
  let fd;
  try {
    fd = openSync(path, 'r');
    if (fstatSync(fd).size > MAX_BYTES) return [];
    return readFileSync(fd, 'utf8').split('\n').flatMap((line) => {
      const [name = '', , id = ''] = line.split(':');
      return name !== '' && /^\d{1,10}$/.test(id) ? [[name.slice(0, MAX_NAME), Number(id)] as const] : [];
    });
  } catch {
    return [];
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

export class Accounts {
  readonly #etc: string;
  readonly #known = new Map<string, { readonly at: number; readonly entries: Entries }>();

  constructor(etc = '/etc') {
    this.#etc = etc;
  }

  #entries(file: 'passwd' | 'group'): Entries {
    const known = this.#known.get(file);
    if (known !== undefined && performance.now() - known.at < FRESH_MS) return known.entries;
    const entries = read(join(this.#etc, file));
    this.#known.set(file, { at: performance.now(), entries });
    return entries;
  }

  /** For people: "uid 1000" when it has no name here. */
  userName(uid: number): string {
    return this.#entries('passwd').find(([, id]) => id === uid)?.[0] ?? `uid ${uid}`;
  }

  /** By name or number; null: not known. */
  #idOf(file: 'passwd' | 'group', text: string): number | null {
    if (/^\d{1,10}$/.test(text)) return Number(text) < 2 ** 32 - 1 ? Number(text) : null;
    return this.#entries(file).find(([name]) => name === text)?.[1] ?? null;
  }

  userId(text: string): number | null {
    return this.#idOf('passwd', text);
  }

  groupId(text: string): number | null {
    return this.#idOf('group', text);
  }
}
