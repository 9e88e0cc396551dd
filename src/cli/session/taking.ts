/** The next Frames of a session. */
import type { Frame } from '../../frame/frame.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { ClosedError } from '../../frame/source.ts';
import { AttachSource } from '../../session/client/attach-source.ts';
import { dialSession } from '../../session/client/dial.ts';
import { SessionError } from '../../session/error.ts';
import type { Taking } from '../taking.ts';
import { version } from '../version.ts';

async function* next(source: AttachSource, count: number): AsyncGenerator<Frame, void, undefined> {
  const came: Frame[] = [];
  let wake = (): void => {}, lost: string | null = null, closed = false;
  const stop = [
    source.subscribe((frame) => { came.push(frame); wake(); }),
    source.onTrouble((reason) => { lost ??= reason; wake(); }),
  ];
  source.done.then(() => { closed = true; wake(); }, (error: Error) => { lost ??= error.message; wake(); });
  try {
    // The first is of an interval that began before anybody asked, or in which the session itself did.
    for (let left = count, begun = false; left > 0;) {
      const frame = came.shift();
      if (frame !== undefined) {
        if (begun) {
          left--;
          yield frame;
        }
        begun ||= PANE_IDS.every((id) => frame.panes[id].state.status !== 'loading');
      } else if (closed) throw new ClosedError();
      else if (lost !== null) throw new SessionError('failed', lost);
      else await new Promise<void>((resolve) => { wake = resolve; });
    }
  } finally {
    for (const end of stop) end();
  }
}

/** @param path null: where sessions are found by themselves @throws SessionError */
export async function takeFromSession(path: string | null, count: number): Promise<Taking> {
  const source = await AttachSource.open({ dial: () => dialSession(path), version: version(), terminal: 'snapshot' });
  return { frames: next(source, count), everyMs: source.welcome.intervalMs, recorded: false, sources: [], close: () => source.close() };
}
