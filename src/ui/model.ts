/** Everything the screen depends on, as one immutable value. update.ts changes it; view.ts and screen.ts read it. */
import type { ContainerInfo, Frame, Level, PaneId } from '../frame/frame.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
import type { ChaosState } from './chaos/model.ts';
import { initialChaos } from './chaos/model.ts';
import { type CompanyState, initialCompany } from './company/model.ts';
import type { Filter } from './filter.ts';
import type { History } from './history/history.ts';
import type { UiOptions } from './options.ts';
import type { AnyRow } from './rows.ts';
import { paneOf } from './rows.ts';
import type { Scope } from './scope.ts';
import type { SymbolSet } from './symbols.ts';
import type { ColorDepth, Role } from './theme.ts';
import type { Jump, Reach, Travel } from './travel/model.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What one pane is set to. */
export interface PaneSetting {
  readonly sort: { readonly column: string; readonly descending: boolean };
  readonly filter: Filter | null;
  readonly errorsOnly: boolean;
  /** How rows are put together, by id; null where the pane has no choice. */
  readonly grouping: string | null;
  /** Key of the selected row; null follows whatever row is first. */
  readonly selected: string | null;
  /** Where the selected row was last: its place when it is gone. */
  readonly index: number;
  /** First row on screen when the selection last moved, and the line of the selected one (see windowOffset). */
  readonly offset: number;
  readonly line: number;
  /** Columns scrolled to the right. */
  readonly columnOffset: number;
}

/** A Frame with the history up to it. */
export interface Shown {
  readonly frame: Frame;
  readonly history: History;
}

export type Overlay =
  | { readonly kind: 'help' | 'nodes' | 'viewers'; readonly scroll: number }
  /** Who the row is about goes with it: a group is only known as long as it is there. */
  | { readonly kind: 'details'; readonly pane: PaneId; readonly key: string; readonly row: AnyRow; readonly info: ContainerInfo; readonly scroll: number };

/** A list to choose from: `s` and `n`. */
export type Menu =
  | { readonly kind: 'sort'; readonly pane: PaneId; readonly index: number }
  /** Letters narrow it. */
  | { readonly kind: 'namespace'; readonly index: number; readonly text: string };

export type Breakdown = { readonly key: string; readonly label: string };

/** What Esc brings back: how the screen stood before one step further in. */
export interface Step {
  readonly scope: Scope | null;
  readonly breakdown: Breakdown | null;
  /** Null: the step has left the focus where it was. */
  readonly focus: PaneId | null;
  readonly zoomed: boolean;
  readonly panes: Readonly<Record<PaneId, PaneSetting>>;
}

/** The line in which a filter is being typed. */
export interface Prompt {
  readonly pane: PaneId;
  readonly text: string;
  /** UTF-16 index that the cursor stands before. */
  readonly cursor: number;
  /** What Esc brings back. */
  readonly before: Filter | null;
  readonly error: string | null;
}

export interface Message {
  readonly text: string;
  readonly role: Role;
  /** Milliseconds since the epoch after which it goes; a key takes it away before. */
  readonly until: number;
}

export interface State {
  readonly size: Size;
  readonly symbols: SymbolSet;
  readonly depth: ColorDepth;
  readonly version: string;
  readonly readOnly: boolean;
  readonly can: { readonly setInterval: boolean; readonly setLevel: boolean };
  /** Tick length last asked for, milliseconds. */
  readonly intervalMs: number;
  /** A level that was asked for and that no Frame shows yet. */
  readonly asked: { readonly pane: PaneId; readonly level: Level | 'off' } | null;
  readonly shown: Shown | null;
  /** Which Frames there are to go back to. */
  readonly reach: Reach;
  /** The Frame of the past that is shown; null: whatever comes, as it comes. */
  readonly travel: Travel | null;
  /** The time being typed. */
  readonly jump: Jump | null;
  /** In place of live marks, in the header; null: the source is live. */
  readonly replay: string | null;
  /** What the timeline holds can be kept as a file. */
  readonly canSaveTimeline: boolean;
  /** Why no more Frames come; null while they do. */
  readonly ended: string | null;
  readonly focus: PaneId;
  /** Panes that had the focus, the last one first: of those that share a cell, it shows the first. */
  readonly fronts: readonly PaneId[];
  readonly zoomed: boolean;
  readonly layout: number;
  /** Scope of the command line, which the keyboard cannot leave. */
  readonly baseScope: Scope | null;
  readonly scope: Scope | null;
  /** Syscalls: the one call that is shown container by container, as its callKey; null shows all calls. */
  readonly breakdown: Breakdown | null;
  /** Steps in, the last one last. */
  readonly trail: readonly Step[];
  readonly panes: Readonly<Record<PaneId, PaneSetting>>;
  readonly overlay: Overlay | null;
  readonly menu: Menu | null;
  readonly prompt: Prompt | null;
  /** Run queue: heat map in place of the histogram where there is no room for both. */
  readonly heatMap: boolean;
  /** Rows since the start or the last reset in place of the last interval. */
  readonly totals: boolean;
  readonly message: Message | null;
  /** Faults and the panel for them; null: there is no way to arm any. */
  readonly chaos: ChaosState | null;
  /** Others on the same capture; null: this screen is alone. */
  readonly company: CompanyState | null;
  /** Milliseconds since the last Frame, once the next one is late; null: they come. */
  readonly silentMs: number | null;
  /** Until when leaving needs no further question, milliseconds since the epoch: it has been asked. Null: not asked. */
  readonly leaving: number | null;
}

function initialPane(id: PaneId, filter: Filter | null, sort: PaneSetting['sort'] = paneOf(id).defaultSort): PaneSetting {
  return { sort, filter, errorsOnly: false, grouping: paneOf(id).groupings?.[0]?.id ?? null, selected: null, index: 0, offset: 0, line: 0, columnOffset: 0 };
}

/** What the state starts from. */
export interface Start {
  readonly options: UiOptions;
  readonly can: State['can'];
  readonly size: Size;
  readonly symbols: SymbolSet;
  readonly depth: ColorDepth;
  /** Parsed from options.filters. */
  readonly filters?: { readonly [P in PaneId]?: Filter | null };
  /** Milliseconds since the epoch. */
  readonly now?: number;
}

/** The state before the first Frame. */
export function initialState({ options, can, size, symbols, depth, filters = {}, now = 0 }: Start): State {
  return {
    size, can, symbols, depth, version: options.version, readOnly: options.readOnly, intervalMs: options.intervalMs, asked: null,
    shown: null, travel: null, jump: null, ended: null,
    reach: options.timeline == null ? 'none' : options.replay == null ? 'memory' : 'recording', replay: options.replay?.label ?? null,
    canSaveTimeline: options.timeline != null && options.saveTimeline !== undefined,
    focus: PANE_IDS[0] as PaneId, fronts: [], zoomed: false, layout: 0,
    baseScope: options.scope, scope: null, breakdown: null, trail: [],
    panes: Object.fromEntries(PANE_IDS.map((id) => [id, initialPane(id, filters[id] ?? null, options.sort?.[id])])) as Record<PaneId, PaneSetting>,
    overlay: null, menu: null, prompt: null, heatMap: false, totals: false, message: null,
    chaos: options.readOnly || options.chaos == null ? null : initialChaos(options.permits ?? { expert: false, allowSystem: false }, now), leaving: null,
    company: options.company == null ? null : initialCompany, silentMs: null,
  };
}

/** `state` with another setting for one pane. */
export function withPane(state: State, id: PaneId, change: Partial<PaneSetting>): State {
  return { ...state, panes: { ...state.panes, [id]: { ...state.panes[id], ...change } } };
}
