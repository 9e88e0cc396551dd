/**
 * Where only some containers were asked for: keeps the kernel's lists of those that certainly are not among them
 * (bpf/ignore.h), so that their events cost less and take no row from the others' budget. Who cannot be judged yet is
 * on no list.
 */
import type { BpfObject, OpenOptions } from '../bpf/addon.ts';
import type { ContainerInfo } from '../frame/frame.ts';
import type { CgroupKey } from '../identity/key.ts';

/** What is asked for; see src/frame/target.ts. */
export interface Judge {
  /** Whether a container is meant: unknown as long as a name that decides is missing. */
  verdict(key: CgroupKey, info: ContainerInfo): 'yes' | 'no' | 'unknown';
}

const MAP = 'ignored';
const VALUE = new Uint8Array(8).fill(1);

/** What a probe opens its object with: room for a list where there is to be one. @param filtered ProbeContext.filtered */
export function ignoreOptions(filtered: boolean): { readonly globals: NonNullable<OpenOptions['globals']>; readonly maxEntries: NonNullable<OpenOptions['maxEntries']> } {
  return { globals: { ignore_listed: filtered }, maxEntries: filtered ? {} : { [MAP]: 1 } };
}

function keyBytes(key: CgroupKey): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(key), true);
  return bytes;
}

export class IgnoreLists {
  readonly #judge: Judge;
  /** Who was judged, as what. */
  readonly #judged = new Map<CgroupKey, ContainerInfo>();
  readonly #ignored = new Set<CgroupKey>();
  /** Lists in the kernel, as far as they were written. */
  readonly #lists = new Map<BpfObject, Set<CgroupKey>>();

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /**
   * Judge who is new or has got another name, and bring the kernel's lists in line.
   * @param keys every cgroup that may cause events @param objects those that are loaded @throws BpfError
   */
  renew(keys: Iterable<CgroupKey>, info: (key: CgroupKey) => ContainerInfo, objects: readonly BpfObject[]): void {
    const present = new Set(keys);
    for (const key of present) {
      const now = info(key);
      if (this.#judged.get(key) === now) continue;
      this.#judged.set(key, now);
      if (this.#judge.verdict(key, now) === 'no') this.#ignored.add(key);
      else this.#ignored.delete(key);
    }
    for (const key of this.#judged.keys()) {
      if (present.has(key)) continue;
      this.#judged.delete(key);
      this.#ignored.delete(key);
    }
    for (const object of this.#lists.keys()) if (!objects.includes(object)) this.#lists.delete(object);
    for (const object of objects) this.#write(object);
  }

  #write(object: BpfObject): void {
    let written = this.#lists.get(object);
    if (!written) {
      if (!object.maps().includes(MAP)) return;
      this.#lists.set(object, (written = new Set()));
    }
    const map = object.map(MAP);
    for (const key of written) {
      if (this.#ignored.has(key)) continue;
      map.delete(keyBytes(key));
      written.delete(key);
    }
    for (const key of this.#ignored) {
      // A full list costs the saving, nothing else.
      if (written.has(key) || written.size >= map.maxEntries) continue;
      map.update(keyBytes(key), VALUE);
      written.add(key);
    }
  }
}
