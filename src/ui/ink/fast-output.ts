/**
 * Ink's canvas with a short way for a finished screen. For every frame Ink makes an object for each cell and joins
 * them to lines again; lines that come from a Transform over placeholder() and fill the canvas are lines already.
 * The bundle puts this in the place of Ink's own class (tools/bundle.mjs), which does everything else. An
 * optimisation only; without it the screen is the same.
 */
import InkOutput from '../../../node_modules/ink/build/output.js';
import { placeholder } from './placeholder.ts';

type Options = ConstructorParameters<typeof InkOutput>[0];
type WriteOptions = Parameters<InkOutput['write']>[3];
type Clip = Parameters<InkOutput['clip']>[0];

export default class Output {
  readonly width: number;
  readonly height: number;
  /** The one write so far, when it is a whole screen. */
  #screen: { readonly text: string; readonly options: WriteOptions } | null = null;
  #ink: InkOutput | null = null;

  constructor({ width, height }: Options) {
    this.width = width;
    this.height = height;
  }

  write(x: number, y: number, text: string, options: WriteOptions): void {
    if (this.#ink === null && this.#screen === null && x === 0 && y === 0 && options.transformers.length === 1 && text === placeholder(this.height)) {
      this.#screen = { text, options };
      return;
    }
    this.#slow().write(x, y, text, options);
  }

  clip(clip: Clip): void {
    this.#slow().clip(clip);
  }

  unclip(): void {
    this.#slow().unclip();
  }

  get(): { output: string; height: number } {
    const transform = this.#screen?.options.transformers[0];
    if (transform === undefined || this.#ink !== null) return this.#slow().get();
    const lines: string[] = [];
    for (let i = 0; i < this.height; i++) lines.push(transform('.', i).trimEnd());
    return { output: lines.join('\n'), height: this.height };
  }

  /** Ink's own canvas, with what has been written so far. */
  #slow(): InkOutput {
    if (this.#ink === null) {
      this.#ink = new InkOutput({ width: this.width, height: this.height });
      if (this.#screen !== null) this.#ink.write(0, 0, this.#screen.text, this.#screen.options);
    }
    return this.#ink;
  }
}
