/** Writes the little of the tar format (POSIX ustar) that an image needs. */

export type TarEntry =
  | { readonly path: string; readonly type: 'directory' }
  | { readonly path: string; readonly type: 'file'; readonly content: Buffer; readonly mode: number }
  | { readonly path: string; readonly type: 'link'; readonly target: string };

const BLOCK = 512;
const TYPE_FLAG = { file: '0', link: '2', directory: '5' } as const;

/** A number field: octal digits and a NUL. */
const octal = (value: number, bytes: number): string => `${value.toString(8).padStart(bytes - 1, '0')}\0`;

function header(entry: TarEntry): Buffer {
  const block = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(entry.path) > 100) throw new Error(`${entry.path}: longer than a tar name may be here`);
  const mode = entry.type === 'file' ? entry.mode : entry.type === 'directory' ? 0o755 : 0o777;
  block.write(entry.path, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(entry.type === 'file' ? entry.content.length : 0, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(' '.repeat(8), 148);
  block.write(TYPE_FLAG[entry.type], 156);
  if (entry.type === 'link') block.write(entry.target, 157);
  block.write('ustar\x0000', 257);
  // The checksum is taken with its own field blank.
  block.write(`${block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** The archive; all owned by root, all of 1970, so the same entries are the same bytes. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    if (entry.type !== 'file') return [header(entry)];
    return [header(entry), entry.content, Buffer.alloc((BLOCK - (entry.content.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}
