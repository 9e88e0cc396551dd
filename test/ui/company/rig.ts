/** Screens on one session, each with its own store and history as in the program, without terminals. */
import type { Frame } from '../../../src/frame/frame.ts';
import { Controller } from '../../../src/ui/controller.ts';
import type { Size, State } from '../../../src/ui/model.ts';
import type { UiOptions } from '../../../src/ui/options.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { contextFor, paneView, scopeOf } from '../../../src/ui/view.ts';
import { type FakeSource, fakeSource } from '../fixtures.ts';
import { OPTIONS } from '../states.ts';
import type { FakeSeat, FakeSession } from './fake-session.ts';

export const SMALL: Size = { width: 80, height: 24 };
export const LARGE: Size = { width: 160, height: 45 };

export interface Seated {
  readonly seat: FakeSeat;
  readonly source: FakeSource;
  readonly controller: Controller;
  readonly state: State;
  press(...keys: readonly string[]): void;
  type(text: string): void;
  frame(frame: Frame): void;
}

export function sit(session: FakeSession, name: string, size: Size = LARGE, options: Partial<UiOptions> = {}): Seated {
  const seat = session.join(name);
  const source = fakeSource();
  const controller = new Controller(source, { options: { ...OPTIONS, company: seat, ...options }, can: source.can, size, symbols: 'braille', depth: 0 }, { quit: () => {}, suspend: () => {}, redraw: () => {} });
  controller.connect((error) => { throw error; });
  const press = (...keys: readonly string[]): void => {
    for (const key of keys) controller.input([{ kind: 'key', key: { name: key, text: [...key].length === 1 ? key : '' } }]);
  };
  return {
    seat, source, controller, press, type: (text) => press(...text), frame: (frame) => void source.emit(frame),
    get state() { return controller.store.getState(); },
  };
}

/** What two screens have in common when one follows the other: what is looked at, and the rows that come of it. */
export function seen(state: State) {
  const { focus, zoomed, layout, totals, heatMap, breakdown, trail, panes, overlay, travel, shown } = state;
  const scope = scopeOf(state);
  const infos = shown === null ? [] : Object.entries(shown.frame.containers);
  const inside = (one: typeof scope): string[] | null => one && infos.filter(([key, info]) => one.matches(key, info)).map(([key]) => key);
  return {
    focus, zoomed, layout, totals, heatMap, breakdown, held: travel !== null, time: travel === null ? null : shown?.frame.time,
    overlay: overlay?.kind === 'details' ? { kind: overlay.kind, pane: overlay.pane, row: overlay.row } : overlay?.kind ?? null,
    scope: scope && { label: scope.label, level: scope.level, only: scope.only, process: scope.process, crumbs: scope.crumbs, inside: inside(scope) },
    trail: trail.map((step) => ({ label: step.scope?.label ?? null, inside: inside(step.scope), breakdown: step.breakdown, focus: step.focus, zoomed: step.zoomed, containers: { grouping: step.panes.containers.grouping, filter: step.panes.containers.filter?.text, selected: step.panes.containers.selected } })),
    panes: PANE_IDS.map((id) => {
      const view = paneView(state, id);
      const { sort, filter, errorsOnly, grouping, selected } = panes[id];
      return { id, sort, filter: filter?.text ?? null, errorsOnly, grouping, marked: selected !== null, row: selected === null ? null : view?.rows[view.selected]?.row ?? null, rows: view?.rows.map(({ row }) => row) };
    }),
    names: shown && contextFor(shown).frame.node.name,
  };
}
