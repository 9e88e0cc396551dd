/**
 * Cuts a program's output into whole frames. A program that draws between the synchronized-update marks is fed to
 * the terminal only up to the end mark, so that no picture catches a half-drawn frame; other output passes at once.
 */
const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';

/** Length of the longest end of `text` that could be the start of `mark`. */
function partial(text: string, mark: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}

export class FrameCutter {
  #held = '';

  /** Add output; returns what is complete and can be shown. */
  push(data: string): string {
    const text = this.#held + data;
    const end = text.lastIndexOf(END);
    const begin = text.indexOf(BEGIN, end === -1 ? 0 : end);
    const cut = begin === -1 ? text.length - partial(text, BEGIN) : begin;
    this.#held = text.slice(cut);
    return text.slice(0, cut);
  }

  /** What is left when the program has ended. */
  flush(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}
