/** `kbtop snapshot --replay`: Frames of a recording on stdout, as if they were measured now. */
import type { PaneId } from '../frame/frame.ts';
import type { Target } from '../frame/target.ts';
import { isEmpty, type Selection, select } from '../output/select.ts';
import type { FrameWriter } from '../output/writer.ts';
import type { Recording } from '../session/recording/recording.ts';
import { parseAt } from './at.ts';
import { EXIT, KbtopError, usageError } from './errors.ts';
import { notFound } from './not-found.ts';
import { printError, printOut } from './output.ts';
import { openRecorded, recordedFailure } from './recorded.ts';
import { nothingMatched, reasons } from './snapshot.ts';

export interface RecordedPlan {
  readonly path: string;
  /** As given; null: the end. */
  readonly at: string | null;
  readonly panes: readonly PaneId[];
  readonly count: number;
  readonly selection: Selection;
  readonly target: Target | null;
  readonly write: FrameWriter;
}

/** Index of the first Frame to print. @throws KbtopError */
function startOf(recording: Recording, { at, count }: RecordedPlan): number {
  if (at === null) return Math.max(recording.first, recording.end - count);
  try {
    return recording.indexAt(parseAt(at, recording));
  } catch (error) {
    throw error instanceof RangeError ? usageError(`--at ${error.message}`) : error;
  }
}

/** @throws KbtopError, OutputClosed */
export async function printRecorded(plan: RecordedPlan): Promise<void> {
  const recording = await openRecorded(plan.path);
  try {
    await print(recording, plan);
  } catch (error) {
    throw recordedFailure(error, plan.path);
  } finally {
    recording.close();
  }
}

async function print(recording: Recording, plan: RecordedPlan): Promise<void> {
  const { panes, count, selection, target, write } = plan;
  const start = startOf(recording, plan), end = Math.min(recording.end, start + count);
  let matched = target === null;
  for (let index = start; index < end; index++) {
    const whole = recording.frame(index);
    const frame = select(whole, selection);
    const off = panes.flatMap((pane) => {
      const { status, reason } = frame.panes[pane].state;
      return status === 'ok' ? [] : [{ pane, reason: reason ?? `it was ${status}` }];
    });
    await printOut(write(frame, index - start));
    if (off.length === panes.length) throw new KbtopError(EXIT.failed, `the recording has no numbers of ${panes.join(', ')}: ${reasons(off)}`);
    if (index === start) for (const { pane, reason } of off) await printError(`${pane} was not measured: ${reason}`);
    matched ||= !isEmpty(frame);
    if (index === end - 1 && target !== null && !matched) await nothingMatched(panes, notFound(target, { containers: whole.containers, sources: [] }));
  }
  if (plan.count > 1 && end - start < count) await printError(`the recording has no more than ${end - start} Frames ${plan.at === null ? 'in all' : 'from there on'}`);
}
