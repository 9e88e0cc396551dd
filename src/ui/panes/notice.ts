/** What a pane says when it has no rows to show, or less than it could. */
import type { PaneId, PaneState } from '../../frame/frame.ts';
import type { Pen } from '../draw/pen.ts';
import type { State } from '../model.ts';
import type { Role } from '../theme.ts';
import { paneOf } from '../rows.ts';
import type { PaneView } from '../view.ts';
import { scopeOf } from '../view.ts';

/** Text, wrapped and painted, in at most `height` lines of exactly `width` cells; what does not fit ends in an ellipsis. */
function paragraph(pen: Pen, parts: readonly { readonly text: string; readonly role: Role }[], width: number, height: number): string[] {
  const lines = parts.flatMap(({ text, role }) => pen.wrap(text, width).map((line) => ({ line, role })));
  return lines.slice(0, Math.max(0, height)).map(({ line, role }, i) => {
    const cut = i === height - 1 && lines.length > height;
    // One cell too long on purpose: the fit puts the ellipsis.
    return pen.paint(role, pen.fit(cut ? line + ' '.repeat(Math.max(0, width - pen.width(line))) + '.' : line, width));
  });
}

function statusParts(state: State, id: PaneId, pane: PaneState): { text: string; role: Role }[] {
  const reason = pane.reason === null ? '' : `: ${pane.reason}`;
  const canTurnOn = state.can.setLevel && !state.readOnly;
  switch (pane.status) {
    case 'loading': return [{ text: `loading${reason === '' ? ' ...' : reason}`, role: 'dim' }];
    case 'off': return [{ text: `off${reason}`, role: 'warn' }, ...(canTurnOn && id === 'syscalls' ? [{ text: 'L turns it on', role: 'dim' as Role }] : [])];
    case 'error': return [{ text: `failed${reason}`, role: 'bad' }];
    case 'ok': return [];
  }
}

/** The whole body of a pane that is not `ok`; null when it is. */
export function statusBody(state: State, id: PaneId, pen: Pen, width: number, height: number): string[] | null {
  if (state.shown === null) return paragraph(pen, [{ text: state.ended ?? 'loading ...', role: state.ended === null ? 'dim' : 'bad' }], width, height);
  const pane = state.shown.frame.panes[id].state;
  return pane.status === 'ok' ? null : paragraph(pen, statusParts(state, id, pane), width, height);
}

/** Why a pane that is `ok` measures less than it could; at most two lines, none in a small pane. */
export function reasonLines(state: State, id: PaneId, pen: Pen, width: number, height: number): string[] {
  const reason = state.shown?.frame.panes[id].state.reason ?? null;
  return reason === null || height < 5 ? [] : paragraph(pen, [{ text: reason, role: 'warn' }], width, height >= 10 ? 2 : 1);
}

/** What stands in place of rows when there are none. */
export function emptyLines(state: State, view: PaneView, pen: Pen, width: number, height: number): string[] {
  const id = view.pane.id;
  const { filter, errorsOnly } = state.panes[id];
  const scope = scopeOf(state);
  const hidden = view.total > 0;
  const rows = (n: number): string => `${n} row${n === 1 ? '' : 's'}`;
  if (hidden && filter !== null) return paragraph(pen, [{ text: `nothing matches /${filter.text}`, role: 'text' }, { text: `${rows(view.total)} hidden; Esc shows all`, role: 'dim' }], width, height);
  if (hidden && errorsOnly) return paragraph(pen, [{ text: 'no errors', role: 'ok' }, { text: `${rows(view.total)} without any hidden; ! shows all`, role: 'dim' }], width, height);
  const what = state.breakdown !== null && id === 'syscalls' ? `no ${state.breakdown.label}` : NOTHING[id] ?? `no ${paneOf(id).title}`;
  const where = scope === null ? '' : ` in ${scope.label}`;
  return paragraph(pen, [{ text: `${what}${where}${view.pane.kind === 'stream' ? ' yet' : ' in this interval'}`, role: 'dim' }, ...(state.scope === null ? [] : [{ text: 'Esc goes back', role: 'dim' as Role }])], width, height);
}

const NOTHING: Partial<Record<PaneId, string>> = {
  syscalls: 'no system calls', runqueue: 'no waits for a CPU', opens: 'no file opens', tcp: 'no TCP connections', containers: 'no containers', processes: 'no process used the CPU',
};
