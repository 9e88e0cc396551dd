/** Reads from an ELF file what a release has to know: for which machine it is, and which libraries it loads. 64-bit little endian. */

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;

const number = (bytes, at) => Number(bytes.readBigUInt64LE(at));
const text = (bytes, at) => bytes.toString('latin1', at, bytes.indexOf(0, at));

/**
 * @param {Buffer} bytes the whole file
 * @returns {{ machine: number, interpreter: string | null, needed: string[] }}
 * @throws {Error} when it is no such file
 */
export function readElf(bytes) {
  if (bytes.length < 64 || bytes.toString('latin1', 0, 4) !== '\x7fELF' || bytes[4] !== 2 || bytes[5] !== 1) throw new Error('not a 64-bit little-endian ELF file');
  const [start, size, count] = [number(bytes, 32), bytes.readUInt16LE(54), bytes.readUInt16LE(56)];
  const segments = Array.from({ length: count }, (_, i) => {
    const at = start + i * size;
    return { type: bytes.readUInt32LE(at), offset: number(bytes, at + 8), address: number(bytes, at + 16), length: number(bytes, at + 32) };
  });
  const find = (type) => segments.find((segment) => segment.type === type);
  const offsetOf = (address) => {
    const segment = segments.find((one) => one.type === PT_LOAD && address >= one.address && address < one.address + one.length);
    if (segment === undefined) throw new Error('its dynamic section points nowhere');
    return address - segment.address + segment.offset;
  };
  const dynamic = find(PT_DYNAMIC);
  const entries = dynamic === undefined ? [] : Array.from({ length: Math.floor(dynamic.length / 16) }, (_, i) => {
    const at = dynamic.offset + i * 16;
    return { tag: number(bytes, at), value: number(bytes, at + 8) };
  });
  const end = entries.findIndex(({ tag }) => tag === 0);
  const used = end < 0 ? entries : entries.slice(0, end);
  const strings = used.find(({ tag }) => tag === DT_STRTAB);
  const needed = used.filter(({ tag }) => tag === DT_NEEDED).map(({ value }) => text(bytes, offsetOf(strings.value) + value));
  const interpreter = find(PT_INTERP);
  return { machine: bytes.readUInt16LE(18), interpreter: interpreter === undefined ? null : text(bytes, interpreter.offset), needed };
}
