/** The text of the last Frame, made when somebody asks and then only once: whoever asks again gets the same bytes. */
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import type { TextFormat } from '../../output/exposition.ts';

const gzip = promisify(gzipCallback);
/** Numbers under ever the same names: more effort makes it slower, not much smaller. */
const LEVEL = 3;

export class Page {
  readonly #build: (format: TextFormat) => string;
  #plain = new Map<TextFormat, Buffer>();
  #zipped = new Map<TextFormat, Promise<Buffer>>();

  constructor(build: (format: TextFormat) => string) {
    this.#build = build;
  }

  /** There is a new Frame. Those who are being answered get what they asked for. */
  renew(): void {
    this.#plain = new Map();
    this.#zipped = new Map();
  }

  plain(format: TextFormat): Buffer {
    let bytes = this.#plain.get(format);
    if (!bytes) this.#plain.set(format, bytes = Buffer.from(this.#build(format), 'utf8'));
    return bytes;
  }

  /** Compressed on another thread. */
  zipped(format: TextFormat): Promise<Buffer> {
    let bytes = this.#zipped.get(format);
    if (!bytes) this.#zipped.set(format, bytes = gzip(this.plain(format), { level: LEVEL }));
    return bytes;
  }
}
