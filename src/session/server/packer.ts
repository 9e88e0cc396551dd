/** Frames as messages, packed once for all who get them. */
import type { Frame } from '../../frame/frame.ts';
import { packJson } from '../protocol/frames.ts';
import { writeToClient } from '../protocol/messages.ts';

export class Packer {
  readonly #packed = new WeakMap<Frame, Promise<Buffer | null>>();

  /** The whole message; null: the Frame is larger than a session takes. Never rejects. */
  frame(frame: Frame): Promise<Buffer | null> {
    let packed = this.#packed.get(frame);
    if (packed === undefined) {
      packed = packJson(frame).then((body) => (body === null ? null : writeToClient({ kind: 'frame', packed: body })), () => null);
      this.#packed.set(frame, packed);
    }
    return packed;
  }
}
