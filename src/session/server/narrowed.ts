/** A source of Frames that has only what is meant: what was not asked for is nobody's business on the session. */
import type { Frame } from '../../frame/frame.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import type { FrameSource } from '../../frame/source.ts';
import { type ContainerFilter, select } from '../../output/select.ts';

export function narrowed(source: FrameSource, filter: ContainerFilter): FrameSource {
  // Frames are packed once for all: every listener gets the same one.
  const known = new WeakMap<Frame, Frame>();
  const narrow = (frame: Frame): Frame => {
    let own = known.get(frame);
    if (own === undefined) {
      const learned = Object.fromEntries(Object.entries(frame.learned).filter(([key, info]) => filter(key, info)));
      known.set(frame, own = { ...select(frame, { panes: PANE_IDS, filter }), learned });
    }
    return own;
  };
  return {
    can: source.can,
    done: source.done,
    setInterval: (ms) => source.setInterval(ms),
    setLevel: (pane, level) => source.setLevel(pane, level),
    subscribe: (onFrame) => source.subscribe((frame) => onFrame(narrow(frame))),
    close: () => source.close(),
  };
}
