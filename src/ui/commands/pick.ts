/** The namespace picker: which namespaces there are, what is in them, and choosing one. */
import { groupKey } from '../../frame/grouping.ts';
import type { Key } from '../keys.ts';
import type { Menu, Shown, State } from '../model.ts';
import { overlayPage } from '../overlays/overlay.ts';
import { enterNamespace } from './drill.ts';
import { tell } from './tell.ts';

export type Picker = Extract<Menu, { kind: 'namespace' }>;

/** One line of the picker. */
export interface PickerItem {
  /** Null: all of them. */
  readonly namespace: string | null;
  readonly pods: number;
  readonly containers: number;
  /** 100 is one CPU; null when nothing is known. */
  readonly cpuPct: number | null;
}

/** The longest name of a namespace. */
const MAX_TEXT = 63;

interface Count {
  readonly pods: Set<string>;
  readonly containers: Set<string>;
  cpuPct: number | null;
}

const known = new WeakMap<Shown, readonly PickerItem[]>();

/**
 * All namespaces that were ever seen, by name, with what they hold now. While the containers pane does not tell
 * everything that lives, what is remembered counts instead.
 */
function namespaces(shown: Shown): readonly PickerItem[] {
  const before = known.get(shown);
  if (before !== undefined) return before;
  const { frame, history } = shown;
  const live = frame.panes.containers.state.status === 'ok';
  const counts = new Map<string, Count>();
  const all: Count = { pods: new Set(), containers: new Set(), cpuPct: null };
  const cpu = new Map(frame.panes.containers.rows.map((row) => [row.container, row.cpuPct]));
  for (const [key, info] of [...history.containers(), ...Object.entries(frame.containers)]) {
    const { namespace } = info;
    if (namespace === null) continue;
    let count = counts.get(namespace);
    if (count === undefined) counts.set(namespace, count = { pods: new Set(), containers: new Set(), cpuPct: null });
    if (live && frame.containers[key] === undefined) continue;
    for (const one of [count, all]) {
      one.pods.add(groupKey('pod', key, info));
      // A pod's own cgroup and its sandbox are no containers.
      if (info.kind !== 'sandbox' && info.containerId !== null) one.containers.add(groupKey('container', key, info));
    }
    const used = cpu.get(key) ?? null;
    // Taken once, though a container stands in history and Frame.
    cpu.delete(key);
    if (used !== null) for (const one of [count, all]) one.cpuPct = (one.cpuPct ?? 0) + used;
  }
  const item = (namespace: string | null, { pods, containers, cpuPct }: Count): PickerItem => ({ namespace, pods: pods.size, containers: containers.size, cpuPct });
  const items = [item(null, all), ...Array.from(counts, ([namespace, count]) => item(namespace, count)).sort((a, b) => ((a.namespace ?? '') < (b.namespace ?? '') ? -1 : 1))];
  known.set(shown, items);
  return items;
}

/** The lines that hold what was typed; all namespaces together only while nothing was. */
export function pickerItems(state: State, { text }: Picker): readonly PickerItem[] {
  if (state.shown === null) return [];
  const items = namespaces(state.shown);
  const wanted = text.toLowerCase();
  return wanted === '' ? items : items.filter(({ namespace }) => namespace?.toLowerCase().includes(wanted));
}

/** Lines of the list that are on screen at once: below its heading. */
export const pickerPage = (state: State): number => Math.max(1, overlayPage(state) - 1);

/** The namespace that the screen is about as a whole; null when it is about all of them. */
export const currentNamespace = (state: State): string | null => (state.scope?.level === 'namespace' ? state.scope.label.slice('ns:'.length) : null);

export function openPicker(state: State, now: number): State {
  const items = state.shown === null ? [] : namespaces(state.shown);
  if (items.length < 2) return tell(state, 'no Kubernetes namespaces are known on this node', 'warn', now);
  const current = currentNamespace(state);
  return { ...state, menu: { kind: 'namespace', text: '', index: Math.max(0, items.findIndex(({ namespace }) => namespace === current)) } };
}

/** A key that changes what was typed; null for any other. */
export function pickerKey(state: State, menu: Picker, { name, text: typed }: Key): State | null {
  const narrowed = (text: string): State => ({ ...state, menu: { ...menu, text: text.slice(0, MAX_TEXT), index: 0 } });
  if (name === 'backspace') return menu.text === '' ? { ...state, menu: null } : narrowed(Array.from(menu.text).slice(0, -1).join(''));
  if (name === 'ctrl-u' || name === 'ctrl-w') return narrowed('');
  return typed === '' ? null : narrowed(menu.text + typed);
}

export function acceptPick(state: State, menu: Picker): State {
  const item = pickerItems(state, menu)[menu.index];
  return item === undefined ? state : enterNamespace({ ...state, menu: null }, item.namespace);
}
