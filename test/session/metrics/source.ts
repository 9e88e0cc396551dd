/** A source whose Frames the test makes. */
import type { Frame } from '../../../src/frame/frame.ts';
import type { FrameSource } from '../../../src/frame/source.ts';

export class FakeSource implements FrameSource {
  readonly can = { setInterval: false, setLevel: false };
  readonly done: Promise<void>;
  readonly listeners = new Set<(frame: Frame) => void>();
  end: () => void = () => {};
  fail: (error: Error) => void = () => {};

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.end = resolve;
      this.fail = reject;
    });
  }

  subscribe(onFrame: (frame: Frame) => void): () => void {
    this.listeners.add(onFrame);
    return () => { this.listeners.delete(onFrame); };
  }

  emit(frame: Frame): void {
    for (const listener of this.listeners) listener(frame);
  }

  setInterval(): void {}
  setLevel(): void {}

  async close(): Promise<void> {
    this.end();
  }
}
