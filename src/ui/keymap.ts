/** Every key, once: this table drives what a key does, the footer and the help. */
import type { State } from './model.ts';

export type Command =
  | 'quit' | 'interrupt' | 'suspend' | 'help' | 'back' | 'redraw'
  | 'focusNext' | 'focusPrevious' | 'focus' | 'zoom' | 'layout'
  | 'up' | 'down' | 'pageUp' | 'pageDown' | 'halfUp' | 'halfDown' | 'first' | 'last' | 'columnsLeft' | 'columnsRight'
  | 'enter' | 'details' | 'group' | 'groupBack' | 'namespace' | 'nodes'
  | 'filter' | 'errorsOnly' | 'sortMenu' | 'sortNext' | 'sortPrevious' | 'reverse'
  | 'slower' | 'faster' | 'level' | 'totals' | 'heatMap' | 'reset' | 'save'
  | 'pause' | 'play' | 'frameBack' | 'frameOn' | 'tenBack' | 'tenOn' | 'minuteBack' | 'minuteOn' | 'oldest' | 'newest' | 'slowerPlay' | 'fasterPlay' | 'jump' | 'saveTimeline'
  | 'accept' | 'close'
  | 'drive' | 'follow' | 'viewers'
  | 'chaos' | 'stopAll' | 'panelNext' | 'panelPrevious' | 'panelLeft' | 'panelRight' | 'panelEnter' | 'panelArm' | 'panelConfirm' | 'panelUp' | 'panelDown' | 'panelEnd' | 'panelWhy' | 'panelPageUp' | 'panelPageDown';

/** Where a binding holds. The panes are `main`; a list to choose from, one that letters narrow, and an overlay take the keys they name.
 * Of the panel of chaos: a field of its form, its list of faults, the dry run, what is typed to confirm, and while the door has yet to answer. */
export type Context = 'main' | 'menu' | 'picker' | 'overlay' | 'form' | 'faults' | 'dryRun' | 'confirm' | 'waiting';

export interface Binding {
  readonly command: Command;
  readonly keys: readonly string[];
  readonly context: readonly Context[];
  /** One or two words for the footer. */
  readonly label: string;
  /** For the help overlay. */
  readonly description: string;
  /** Place in the footer: lower stays longer on a narrow screen. Absent: not in the footer. */
  readonly footer?: number;
  /** Its place while the screen shows the past, where that is another. */
  readonly footerInPast?: number;
  /** Changes what runs on the node: not without being asked, not with --read-only. */
  readonly dangerous?: boolean;
  /** When the key does anything at all; otherwise it is nowhere, in help and footer neither. */
  readonly when?: (state: State) => boolean;
  readonly group: 'go' | 'find' | 'show' | 'time' | 'measure' | 'company' | 'chaos' | 'leave';
}

const canLevel = (state: State): boolean => state.can.setLevel && !state.readOnly;
/** Without a door, or on a screen that must change nothing, no key for faults exists. */
const canChaos = (state: State): boolean => state.chaos !== null && !state.readOnly;
const inCompany = (state: State): boolean => state.company !== null;
/** The screen is about a cluster. */
const hasNodes = (state: State): boolean => state.shown?.frame.nodes !== undefined;
const canTravel = (state: State): boolean => state.reach !== 'none';
const canInterval = (state: State): boolean => state.can.setInterval && !state.readOnly;

/** Whatever covers the panes but an open list: the past is looked at through it, too. */
const TIMED = ['main', 'overlay'] as const satisfies readonly Context[];
const PANEL = ['form', 'faults', 'dryRun', 'confirm', 'waiting'] as const satisfies readonly Context[];
const EVERYWHERE = ['main', 'menu', 'picker', 'overlay', ...PANEL] as const satisfies readonly Context[];

/** In the order of the help overlay. */
export const KEYMAP: readonly Binding[] = [
  { group: 'go', command: 'focusNext', keys: ['tab'], context: ['main'], label: 'Pane', description: 'next pane', footer: 6 },
  { group: 'go', command: 'focusPrevious', keys: ['shift-tab'], context: ['main'], label: 'Pane', description: 'previous pane' },
  { group: 'go', command: 'focus', keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'], context: ['main'], label: 'Pane', description: 'the pane with this number' },
  { group: 'go', command: 'zoom', keys: ['z', 'e'], context: ['main'], label: 'Zoom', description: 'one pane on the whole screen, and back', footer: 5 },
  { group: 'go', command: 'up', keys: ['up', 'k', 'ctrl-p'], context: ['main', 'menu', 'picker', 'overlay'], label: 'Up', description: 'row up' },
  { group: 'go', command: 'down', keys: ['down', 'j', 'ctrl-n'], context: ['main', 'menu', 'picker', 'overlay'], label: 'Down', description: 'row down' },
  { group: 'go', command: 'pageUp', keys: ['pageup', 'ctrl-b'], context: ['main', 'menu', 'picker', 'overlay'], label: 'Page up', description: 'page up' },
  { group: 'go', command: 'pageDown', keys: ['pagedown', 'ctrl-f'], context: ['main', 'menu', 'picker', 'overlay'], label: 'Page down', description: 'page down' },
  { group: 'go', command: 'halfUp', keys: ['ctrl-u'], context: ['main', 'menu', 'picker', 'overlay'], label: 'Half up', description: 'half a page up' },
  { group: 'go', command: 'halfDown', keys: ['ctrl-d'], context: ['main', 'menu', 'picker', 'overlay'], label: 'Half down', description: 'half a page down' },
  { group: 'go', command: 'first', keys: ['g', 'home'], context: ['main', 'menu', 'picker', 'overlay'], label: 'Top', description: 'first row, and stay there' },
  { group: 'go', command: 'last', keys: ['G', 'end'], context: ['main', 'menu', 'picker', 'overlay'], label: 'End', description: 'last row' },
  { group: 'go', command: 'columnsRight', keys: ['right', 'l'], context: ['main'], label: 'Columns', description: 'columns that found no room' },
  { group: 'go', command: 'columnsLeft', keys: ['left', 'h'], context: ['main'], label: 'Columns', description: 'and back' },

  { group: 'find', command: 'enter', keys: ['enter'], context: ['main'], label: 'Into', description: 'one step in: workload, pod, container, process, its events; a call first by container', footer: 7 },
  { group: 'find', command: 'details', keys: ['d'], context: ['main'], label: 'Details', description: 'everything about the row: every column, latencies, errors, identity', footer: 8 },
  { group: 'find', command: 'namespace', keys: ['n'], context: ['main'], label: 'Namespace', description: 'all panes on one namespace; letters narrow the list', footer: 12 },
  { group: 'find', command: 'nodes', keys: ['N'], context: ['main'], label: 'Nodes', description: 'the cluster\'s nodes: who tells, who does not and why, clocks, costs', footer: 12.5, when: hasNodes },
  { group: 'find', command: 'filter', keys: ['/', 'f4'], context: ['main'], label: 'Filter', description: 'rows with a text; !text without; rate>100, p99>5ms, comm=nginx; a|b', footer: 2 },
  { group: 'find', command: 'errorsOnly', keys: ['!'], context: ['main'], label: 'Errors', description: 'only rows with errors, or slow ones in the run queue', footer: 11 },
  { group: 'find', command: 'sortMenu', keys: ['s', 'f6'], context: ['main'], label: 'Sort', description: 'choose the column to sort by', footer: 3 },
  { group: 'find', command: 'sortPrevious', keys: ['<', ','], context: ['main'], label: 'Sort', description: 'sort by the column before' },
  { group: 'find', command: 'sortNext', keys: ['>', '.'], context: ['main'], label: 'Sort', description: 'sort by the next column' },
  { group: 'find', command: 'reverse', keys: ['r', 'I'], context: ['main', 'menu'], label: 'Reverse', description: 'turn the order round', footer: 14 },

  { group: 'show', command: 'totals', keys: ['t'], context: ['main'], label: 'Totals', description: 'syscalls and run queue: this interval, or since the start (or 0)', footer: 15 },
  { group: 'show', command: 'heatMap', keys: ['m'], context: ['main'], label: 'Heat map', description: 'run queue: histogram, or heat map over time', footer: 17 },
  { group: 'show', command: 'group', keys: ['u'], context: ['main'], label: 'Group', description: 'containers: by container, pod, workload, namespace, and node of a cluster; syscalls: all together, by container', footer: 13 },
  { group: 'show', command: 'groupBack', keys: ['U'], context: ['main'], label: 'Group', description: 'and back' },
  { group: 'show', command: 'layout', keys: ['v'], context: ['main'], label: 'Layout', description: 'next arrangement of the panes', footer: 18 },
  { group: 'show', command: 'redraw', keys: ['ctrl-l', 'f5'], context: EVERYWHERE, label: 'Redraw', description: 'draw the screen anew' },

  { group: 'time', command: 'pause', keys: ['p'], context: TIMED, label: 'Pause', description: 'hold the screen still, collection goes on; again: go on with the newest', footer: 4, footerInPast: 1.7 },
  { group: 'time', command: 'play', keys: [' '], context: TIMED, label: 'Play', description: 'hold the screen still; again: play on from there', footerInPast: 1.6, when: canTravel },
  { group: 'time', command: 'frameBack', keys: ['[', 'T', 'shift-left'], context: TIMED, label: 'Back', description: 'one Frame back', footerInPast: 1.1, when: canTravel },
  { group: 'time', command: 'frameOn', keys: [']', 'shift-right'], context: TIMED, label: 'Next', description: 'one Frame on', footerInPast: 1.2, when: canTravel },
  { group: 'time', command: 'tenBack', keys: ['{'], context: TIMED, label: 'Ten', description: 'ten Frames back', when: canTravel },
  { group: 'time', command: 'tenOn', keys: ['}'], context: TIMED, label: 'Ten', description: 'ten Frames on', when: canTravel },
  { group: 'time', command: 'minuteBack', keys: ['(', 'ctrl-left'], context: TIMED, label: 'Minute', description: 'a minute back', footerInPast: 6.1, when: canTravel },
  { group: 'time', command: 'minuteOn', keys: [')', 'ctrl-right'], context: TIMED, label: 'Minute', description: 'a minute on', footerInPast: 6.2, when: canTravel },
  { group: 'time', command: 'oldest', keys: ['^'], context: TIMED, label: 'Start', description: 'the oldest Frame', when: canTravel },
  { group: 'time', command: 'newest', keys: ['$'], context: TIMED, label: 'Newest', description: 'back to the newest, and on with what comes; in a recording its end', footerInPast: 1.8, when: canTravel },
  { group: 'time', command: 'jump', keys: ['b'], context: TIMED, label: 'Time', description: 'type a time: 02:00:05, 2026-11-21T02:00:05Z, -5m, +30s', footerInPast: 1.9, when: canTravel },
  { group: 'time', command: 'slowerPlay', keys: ['\\', 'shift-down'], context: TIMED, label: 'Slower', description: 'play slower: 32 16 8 4 2 1 0.5 0.25 times', when: canTravel },
  { group: 'time', command: 'fasterPlay', keys: ['|', 'shift-up'], context: TIMED, label: 'Faster', description: 'play faster', footerInPast: 6.3, when: canTravel },
  { group: 'time', command: 'saveTimeline', keys: ['W'], context: TIMED, label: 'Keep', description: 'write all Frames that are held to a recording; kbtop replay shows it', footerInPast: 10.5, when: (state) => state.canSaveTimeline },

  { group: 'measure', command: 'faster', keys: ['-', '_'], context: ['main'], label: 'Faster', description: 'shorter interval', when: canInterval },
  { group: 'measure', command: 'slower', keys: ['+', '='], context: ['main'], label: 'Slower', description: 'longer interval: 0.25 0.5 1 2 5 10 s', when: canInterval },
  { group: 'measure', command: 'level', keys: ['L'], context: ['main'], label: 'Level', description: 'how much the pane measures: count, latency, sampled, off', footer: 16, when: canLevel },
  { group: 'measure', command: 'reset', keys: ['0'], context: ['main'], label: 'Reset', description: 'forget history, totals and losses so far' },
  { group: 'measure', command: 'save', keys: ['w'], context: ['main', 'overlay'], label: 'Save', description: 'write what the screen shows to a file, as JSON', footer: 10 },

  { group: 'company', command: 'follow', keys: ['F'], context: ['main', 'overlay'], label: 'Follow', description: 'follow whoever drives, or look around alone; any step of your own stops following', footer: 4.5, when: inCompany },
  { group: 'company', command: 'drive', keys: ['D'], context: ['main', 'overlay'], label: 'Drive', description: 'take the wheel: those who follow see what you see; again lets go', footer: 4.7, when: inCompany },
  { group: 'company', command: 'viewers', keys: ['V'], context: ['main', 'overlay'], label: 'Viewers', description: 'who looks at this capture, who drives and who follows', footer: 10.5, when: inCompany },

  { group: 'chaos', command: 'chaos', keys: ['c', 'f8'], context: ['main'], label: 'Chaos', description: 'make calls of the row\'s container fail, wait or end: the chaos panel', footer: 6.5, dangerous: true, when: canChaos },
  { group: 'chaos', command: 'chaos', keys: ['f8'], context: PANEL, label: 'Close', description: 'panel: close it; a dry run ends', dangerous: true, when: canChaos },
  { group: 'chaos', command: 'stopAll', keys: ['f9', 'ctrl-x'], context: EVERYWHERE, label: 'Stop all', description: 'end every fault at once, from anywhere, also while typing', dangerous: true, when: canChaos },
  { group: 'chaos', command: 'stopAll', keys: ['X'], context: ['main', 'menu', 'overlay', 'faults', 'dryRun', 'waiting'], label: 'Stop all', description: 'the same, where letters are not typed', dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelNext', keys: ['tab'], context: ['form', 'faults'], label: 'Field', description: 'panel: next field, then the list of faults', footer: 3, dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelPrevious', keys: ['shift-tab'], context: ['form', 'faults'], label: 'Field', description: 'panel: the field before', dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelNext', keys: ['down'], context: ['form'], label: 'Field', description: 'panel: next field', dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelPrevious', keys: ['up'], context: ['form'], label: 'Field', description: 'panel: the field before', dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelRight', keys: ['right'], context: ['form'], label: 'Choose', description: 'panel: the next choice of the field; typing narrows them', footer: 4, dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelLeft', keys: ['left'], context: ['form'], label: 'Choose', description: 'panel: the choice before', dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelEnter', keys: ['enter'], context: ['form'], label: 'Dry run', description: 'panel: count what would be hit; nothing happens to any call', footer: 2, dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelArm', keys: ['enter', 'a'], context: ['dryRun'], label: 'Arm', description: 'dry run: go on to arm it for real', footer: 2, dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelConfirm', keys: ['enter'], context: ['confirm'], label: 'Arm for real', description: 'arm it, when what is asked for has been typed', footer: 2, dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelUp', keys: ['up', 'k'], context: ['faults'], label: 'Up', description: 'panel: the fault above', dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelDown', keys: ['down', 'j'], context: ['faults'], label: 'Down', description: 'panel: the fault below', dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelEnd', keys: ['x', 'delete'], context: ['faults'], label: 'End', description: 'panel: end the marked fault', footer: 2, dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelWhy', keys: ['?', 'f1'], context: ['form'], label: 'Why', description: 'panel: what acts, and why nothing else does', footer: 5, dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelWhy', keys: ['?', 'f1', 'd'], context: ['faults', 'dryRun'], label: 'Why', description: 'the same', dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelPageDown', keys: ['pagedown'], context: PANEL, label: 'Page down', description: 'panel: page down', dangerous: true, when: canChaos },
  { group: 'chaos', command: 'panelPageUp', keys: ['pageup'], context: PANEL, label: 'Page up', description: 'panel: page up', dangerous: true, when: canChaos },

  { group: 'leave', command: 'accept', keys: ['enter'], context: ['menu', 'picker'], label: 'Choose', description: 'take the marked line', footer: 1 },
  { group: 'leave', command: 'close', keys: ['q', 'd', 'N', '?', 'f1'], context: ['overlay'], label: 'Close', description: 'close help, nodes or details', footer: 1 },
  { group: 'leave', command: 'back', keys: ['esc'], context: EVERYWHERE, label: 'Back', description: 'one step back: panel, overlay, filter, zoom, the last step in; never out', footer: 9 },
  { group: 'leave', command: 'help', keys: ['?', 'f1'], context: ['main'], label: 'Help', description: 'this', footer: 1 },
  { group: 'leave', command: 'quit', keys: ['q', 'f10'], context: ['main', 'menu'], label: 'Quit', description: 'leave kbtop', footer: 0 },
  { group: 'leave', command: 'interrupt', keys: ['ctrl-c'], context: EVERYWHERE, label: 'Quit', description: 'leave kbtop with exit code 130, from anywhere' },
  { group: 'leave', command: 'suspend', keys: ['ctrl-z'], context: EVERYWHERE, label: 'Suspend', description: 'back to the shell; `fg` returns' },
];

export const GROUPS: Readonly<Record<Binding['group'], string>> = { go: 'Moving', find: 'Finding', show: 'Showing', time: 'Going back in time', measure: 'Measuring', company: 'Company', chaos: 'Chaos', leave: 'Leaving' };

/** Which table of keys holds now. A text field takes all keys itself. */
export function contextOfState(state: State): Context {
  if (state.menu !== null) return state.menu.kind === 'namespace' ? 'picker' : 'menu';
  if (state.overlay !== null) return 'overlay';
  const panel = state.chaos?.panel;
  if (!panel) return 'main';
  switch (panel.stage.kind) {
    case 'form': return panel.field === 'faults' ? 'faults' : 'form';
    case 'dry': return 'dryRun';
    case 'confirm': return 'confirm';
    case 'starting': case 'arming': return 'waiting';
  }
}

/** Letters are text now, not commands. */
export function typesText(state: State): boolean {
  const context = contextOfState(state);
  return state.prompt !== null || state.jump !== null || context === 'picker' || context === 'form' || context === 'confirm';
}

const allowed = (binding: Binding, state: State): boolean => !(binding.dangerous && state.readOnly) && (binding.when?.(state) ?? true);

/** Bindings that do something in this state. */
export const activeBindings = (state: State): readonly Binding[] => KEYMAP.filter((binding) => allowed(binding, state));

const TABLES: Readonly<Record<Context, ReadonlyMap<string, Binding>>> = {
  main: tableOf('main'), menu: tableOf('menu'), picker: tableOf('picker'), overlay: tableOf('overlay'),
  form: tableOf('form'), faults: tableOf('faults'), dryRun: tableOf('dryRun'), confirm: tableOf('confirm'), waiting: tableOf('waiting'),
};

function tableOf(context: Context): ReadonlyMap<string, Binding> {
  return new Map(KEYMAP.filter((binding) => binding.context.includes(context)).flatMap((binding) => binding.keys.map((key) => [key, binding] as const)));
}

/** What a key does now; null when it does nothing. */
export function bindingFor(state: State, key: string): Binding | null {
  const binding = TABLES[contextOfState(state)].get(key);
  return binding !== undefined && allowed(binding, state) ? binding : null;
}

const NAMES: Readonly<Record<string, string>> = {
  up: '↑', down: '↓', left: '←', right: '→', enter: 'Enter', esc: 'Esc', tab: 'Tab', 'shift-tab': 'S-Tab', pageup: 'PgUp', pagedown: 'PgDn', home: 'Home', end: 'End', ' ': 'Space',
};
const ASCII_NAMES: Readonly<Record<string, string>> = { up: 'Up', down: 'Down', left: 'Left', right: 'Right' };

/** A key as help and footer write it: "^L", "F5", "↑". */
export function keyName(key: string, ascii: boolean): string {
  const name = (ascii ? ASCII_NAMES[key] : undefined) ?? NAMES[key];
  if (name !== undefined) return name;
  if (key.startsWith('ctrl-')) return `^${key.slice(5).toUpperCase()}`;
  return /^f\d+$/.test(key) ? key.toUpperCase() : key;
}
