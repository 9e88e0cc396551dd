/** Panes that a Frame has no numbers for. */
import type { Frame, PaneId } from '../frame/frame.ts';

/** Of those asked for, with the reason. */
export function failedPanes(frame: Frame, panes: readonly PaneId[]): { readonly pane: PaneId; readonly reason: string }[] {
  return panes.flatMap((pane) => {
    const { status, reason } = frame.panes[pane].state;
    return status === 'ok' ? [] : [{ pane, reason: reason ?? `it is ${status}` }];
  });
}
