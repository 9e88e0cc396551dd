/** A live capture: the addon, the manager on it, and what the failure of its parts means. Imported lazily: it loads the addon. */
import { loadAddon } from '../bpf/load.ts';
import type { Frame, PaneId } from '../frame/frame.ts';
import { ClosedError, Manager } from '../probes/manager.ts';

export { ClosedError };

export interface CaptureOptions {
  readonly intervalMs: number;
  readonly panes?: readonly PaneId[];
  readonly debug: ((text: string) => void) | null;
}

/** @throws AddonError, BpfError */
export function openCapture({ intervalMs, panes, debug }: CaptureOptions): Manager {
  return new Manager({ addon: loadAddon(), intervalMs, ...(panes && { panes }), ...(debug && { debug }) });
}

/** Panes of those asked for that a Frame has no numbers for, with the reason. */
export function failedPanes(frame: Frame, panes: readonly PaneId[]): { readonly pane: PaneId; readonly reason: string }[] {
  return panes.flatMap((pane) => {
    const { status, reason } = frame.panes[pane].state;
    return status === 'ok' ? [] : [{ pane, reason: reason ?? `it is ${status}` }];
  });
}
