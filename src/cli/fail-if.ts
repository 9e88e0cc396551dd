/** `--fail-if`: conditions on a snapshot's rows, what is said of those that hold, and the exit code. */
import type { Frame, PaneId } from '../frame/frame.ts';
import { type Judgement, type Threshold, ThresholdError, judge, parseThreshold } from '../output/threshold.ts';
import { EXIT, KbtopError, usageError } from './errors.ts';
import { printDetail, printError } from './output.ts';
import { type Settings, wantsColor } from './settings.ts';

/** Rows that are shown of one condition, over all Frames. */
const MOST_ROWS = 20;

const quoted = (text: string): string => `'${text}'`;
const rowCount = (n: number): string => `${n} row${n === 1 ? '' : 's'}`;

/** @param panes those that will be measured @throws KbtopError for a condition that cannot be */
export function parseFailIf(texts: readonly string[] | undefined, panes: readonly PaneId[]): readonly Threshold[] {
  return (texts ?? []).map((text) => {
    let threshold;
    try {
      threshold = parseThreshold(text);
    } catch (error) {
      throw error instanceof ThresholdError ? usageError(`--fail-if ${error.message}`) : error;
    }
    if (!panes.includes(threshold.pane)) throw usageError(`--fail-if "${text}" is about ${threshold.pane}, which --pane leaves out; add --pane ${threshold.pane}`);
    return threshold;
  });
}

interface Tally {
  rows: number;
  frames: number;
  shown: number;
  missing: number;
  unjudged: string | null;
}

/** Judges Frame after Frame. */
export class FailIf {
  readonly #tallies: ReadonlyMap<Threshold, Tally>;
  readonly #settings: Pick<Settings, 'ascii' | 'color'>;
  readonly #several: boolean;

  /** @param frames how many will come */
  constructor(thresholds: readonly Threshold[], frames: number, settings: Pick<Settings, 'ascii' | 'color'>) {
    this.#tallies = new Map(thresholds.map((one) => [one, { rows: 0, frames: 0, shown: 0, missing: 0, unjudged: null }]));
    this.#settings = settings;
    this.#several = frames > 1;
  }

  /** Judge one Frame, with all rows that are meant; tell at once of rows that a condition holds on. */
  async check(frame: Frame): Promise<void> {
    for (const judgement of judge(frame, [...this.#tallies.keys()])) {
      const tally = this.#tallies.get(judgement.threshold);
      if (!tally) continue;
      tally.missing += judgement.missing;
      tally.unjudged ??= judgement.unjudged;
      if (judgement.rows.length === 0) continue;
      tally.rows += judgement.rows.length;
      tally.frames++;
      if (tally.shown < MOST_ROWS) await this.#tell(frame, judgement, tally);
    }
  }

  async #tell(frame: Frame, judgement: Judgement, tally: Tally): Promise<void> {
    // Measuring text is not for free, and mostly nothing is to be told.
    const { offenderLines } = await import('../output/offenders.ts');
    const terminal = process.stderr.isTTY;
    const lines = offenderLines(frame, judgement, MOST_ROWS - tally.shown, {
      width: terminal ? process.stderr.columns || 80 : null, ascii: this.#settings.ascii, color: wantsColor(this.#settings.color, terminal),
    });
    tally.shown += Math.min(judgement.rows.length, MOST_ROWS - tally.shown);
    await printError(`--fail-if ${quoted(judgement.threshold.text)} holds on ${rowCount(judgement.rows.length)}${this.#several ? ` of the Frame to ${frame.time}` : ''}:`);
    await printDetail(lines.join('\n'));
  }

  /** After the last Frame. @throws KbtopError when a condition held, or could not be judged */
  async end(): Promise<void> {
    const held: string[] = [], unjudged: string[] = [];
    for (const [{ text, pane }, { rows, frames, missing, unjudged: reason }] of this.#tallies) {
      if (rows > 0) held.push(`--fail-if ${quoted(text)} held on ${rowCount(rows)}${this.#several ? ` of ${frames} Frame${frames === 1 ? '' : 's'}` : ''}`);
      else if (reason !== null) unjudged.push(`--fail-if ${quoted(text)} could not be judged: ${reason}`);
      else if (missing > 0) await printError(`--fail-if ${quoted(text)} held on no row, but ${missing} events of ${pane} have none: they were more than is kept`);
    }
    if (held.length > 0) throw new KbtopError(EXIT.failed, [...held, ...unjudged].join('; '));
    if (unjudged.length > 0) throw new KbtopError(EXIT.impossible, `${unjudged.join('; ')}; kbtop doctor tells more`);
  }
}
