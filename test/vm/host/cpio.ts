/**
 * Writes the archive format of an initramfs ("newc" of cpio(5)). Written here rather than by cpio, because a device node can
 * then stand in it without anybody's being root.
 */
const TYPE = { directory: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 } as const;

export class CpioArchive {
  readonly #parts: Buffer[] = [];
  readonly #directories = new Set<string>();
  #inode = 0;

  /** @param path without leading slash; parents are added */
  directory(path: string): this {
    if (this.#directories.has(path)) return this;
    this.#parents(path);
    this.#directories.add(path);
    return this.#entry(path, TYPE.directory | 0o755, Buffer.alloc(0));
  }

  file(path: string, content: Uint8Array | string, mode = 0o755): this {
    this.#parents(path);
    return this.#entry(path, TYPE.file | mode, Buffer.from(content as Uint8Array));
  }

  link(path: string, target: string): this {
    this.#parents(path);
    return this.#entry(path, TYPE.link | 0o777, Buffer.from(target));
  }

  /** A character device. */
  device(path: string, major: number, minor: number): this {
    this.#parents(path);
    return this.#entry(path, TYPE.device | 0o600, Buffer.alloc(0), major, minor);
  }

  /** The whole archive. */
  bytes(): Buffer {
    return Buffer.concat([...this.#parts, entry(0, 'TRAILER!!!', 0, Buffer.alloc(0), 0, 0)]);
  }

  #parents(path: string): void {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (parent !== '') this.directory(parent);
  }

  #entry(path: string, mode: number, content: Buffer, major = 0, minor = 0): this {
    this.#parts.push(entry(++this.#inode, path, mode, content, major, minor));
    return this;
  }
}

/** Header, name and content, each padded to four bytes. */
function entry(inode: number, path: string, mode: number, content: Buffer, major: number, minor: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  //              inode, mode, uid, gid, links, mtime, size, device of the file (2), device of the node (2), size of name, checksum
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(content)]);
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
