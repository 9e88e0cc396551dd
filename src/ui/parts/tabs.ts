/** The line of panes on a screen that shows one at a time. */
import { PANE_IDS } from '../../frame/panes/index.ts';
import type { Pen } from '../draw/pen.ts';
import { drawLine } from '../draw/line.ts';
import type { State } from '../model.ts';
import { paneOf } from '../rows.ts';
import type { Role } from '../theme.ts';

/** Exactly `width` cells. */
export function drawTabs(state: State, pen: Pen, width: number): string {
  const whole = PANE_IDS.reduce((n, id) => n + paneOf(id).title.length + 4, 0) <= width;
  return drawLine(pen, width, PANE_IDS.map((id) => {
    const { number, title } = paneOf(id);
    const here = id === state.focus;
    const bad = state.shown?.frame.panes[id].state.status === 'error';
    const role: Role = here ? 'selected' : bad ? 'bad' : 'dim';
    return { spans: [{ text: ` ${number}${whole || here ? ` ${title}` : ''}${bad ? '!' : ''} `, role }], rank: here ? 0 : 1 };
  }), [], 0);
}
