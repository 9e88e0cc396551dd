/** Names in the kernel's BTF (/sys/kernel/btf/vmlinux): which functions there are to attach to, and which values an enum has. */
import { readFileSync } from 'node:fs';

const MAGIC = 0xeb9f;
const KIND_ENUM = 6, KIND_FUNC = 12;
/** Bytes that follow a type of a kind, and for each of its members; see include/uapi/linux/btf.h. */
const EXTRA: Readonly<Record<number, readonly [fixed: number, each: number]>> = {
  1: [4, 0], 3: [12, 0], 4: [0, 12], 5: [0, 12], 6: [0, 8], 13: [0, 8], 14: [4, 0], 15: [0, 12], 17: [4, 0], 19: [0, 12],
};
const KIND_MAX = 19;

export interface BtfNames {
  /** Every function whose name has one of the prefixes asked for. */
  readonly functions: ReadonlySet<string>;
  /** Every value of the enum asked for; empty when there is none. */
  readonly values: ReadonlySet<string>;
}

/**
 * @param prefixes of the functions that are wanted
 * @param enumName of the enum that is wanted
 * @throws RangeError when it is not BTF as it is known here
 */
export function parseBtf(data: Buffer, prefixes: readonly string[], enumName: string): BtfNames {
  if (data.byteLength < 24 || data.readUInt16LE(0) !== MAGIC) throw new RangeError('not BTF of this machine');
  const header = data.readUInt32LE(4);
  const [typesAt = 0, typesLength = 0, textAt = 0, textLength = 0] = [8, 12, 16, 20].map((at) => data.readUInt32LE(at));
  const types = header + typesAt, text = header + textAt;
  if (types + typesLength > data.byteLength || text + textLength > data.byteLength) throw new RangeError('BTF is cut short');
  const name = (offset: number): string => {
    const end = data.indexOf(0, text + offset);
    return data.toString('latin1', text + offset, end < 0 ? text + textLength : end);
  };
  const functions = new Set<string>(), values = new Set<string>();
  const end = types + typesLength;
  for (let at = types; at + 12 <= end;) {
    const nameAt = data.readUInt32LE(at), info = data.readUInt32LE(at + 4);
    const members = info & 0xffff, kind = (info >>> 24) & 0x1f;
    if (kind === 0 || kind > KIND_MAX) throw new RangeError(`BTF has a type of kind ${kind}`);
    if (kind === KIND_FUNC) {
      const found = name(nameAt);
      if (prefixes.some((prefix) => found.startsWith(prefix))) functions.add(found);
    } else if (kind === KIND_ENUM && name(nameAt) === enumName) {
      for (let i = 0; i < members; i++) values.add(name(data.readUInt32LE(at + 12 + i * 8)));
    }
    const [fixed, each] = EXTRA[kind] ?? [0, 0];
    at += 12 + fixed + each * members;
  }
  return { functions, values };
}

/** Of the running kernel; null when it cannot be read. Takes some 50 ms. */
export function kernelBtf(prefixes: readonly string[], enumName: string, path = '/sys/kernel/btf/vmlinux'): BtfNames | null {
  try {
    return parseBtf(readFileSync(path), prefixes, enumName);
  } catch {
    return null;
  }
}
