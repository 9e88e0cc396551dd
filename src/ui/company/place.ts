/**
 * A scope on its way to another screen: its function stays behind, what identifies it goes along. There it is put
 * together again from who is known there.
 */
import type { ContainerInfo } from '../../frame/frame.ts';
import { type GroupBy, groupKey, standsFor } from '../../frame/grouping.ts';
import type { State } from '../model.ts';
import type { Scope } from '../scope.ts';
import { groupScope, namespaceScope, processScope } from '../scope.ts';

export interface Place {
  readonly level: GroupBy;
  /** See groupKey. */
  readonly id: string;
  /** What the driver's screen calls it. Raw. */
  readonly label: string;
  readonly process: { readonly pid: number; readonly comm: string | null } | null;
}

/** Characters that are shared at most. An id that loses some is nobody's any more, and so nothing is shown in its place. */
export const ID_LENGTH = 256, LABEL_LENGTH = 128, COMM_LENGTH = 64;

/** Null: everything. */
export function placeOf(scope: Scope | null): Place | null {
  if (scope?.id === undefined || scope.level === undefined) return null;
  const { level, id, label, process } = scope;
  const { pid, comm = null } = process ?? {};
  return { level, id: id.slice(0, ID_LENGTH), label: label.slice(0, LABEL_LENGTH), process: pid === undefined ? null : { pid, comm: comm?.slice(0, COMM_LENGTH) ?? null } };
}

/** Made of its id alone: nobody here knows what it holds. */
const strangers = new WeakSet<Scope>();

export const isStranger = (scope: Scope | null): boolean => scope !== null && strangers.has(scope);

function isPlace(scope: Scope, { level, id, process }: Place): boolean {
  return scope.id === id && scope.level === level && scope.process?.pid === process?.pid && (scope.process?.comm ?? null) === (process?.comm ?? null);
}

/** A container that the place holds: of the Frame, or one that was seen before. */
function memberOf(state: State, { level, id }: Place): readonly [key: string, info: ContainerInfo] | null {
  const { shown } = state;
  if (shown === null) return null;
  for (const [key, info] of [...Object.entries(shown.frame.containers), ...shown.history.containers()]) {
    // A cgroup whose container's id became known since the driver chose it.
    if (standsFor(level, info) === level && (groupKey(level, key, info) === id || (level === 'container' && key === id))) return [key, info];
  }
  return null;
}

const NAMESPACE = 'namespace:';

/** What it says of itself, until somebody in it is seen: the id decides what is in it, so nothing else is shown. */
function strangerOf({ level, id, label, process }: Place): Scope {
  const matches = (key: string, info: ContainerInfo): boolean => standsFor(level, info) === level && groupKey(level, key, info) === id;
  const scope: Scope = { label, only: level === 'container' && /^\d+$/.test(id) ? id : null, matches, level, id, ...(process !== null && { process: { ...process, within: label } }) };
  strangers.add(scope);
  return scope;
}

/** Scopes of places. The same place gives the same scope, and one that the state has already stays that one. */
export function rebuilder(state: State): (place: Place | null) => Scope | null {
  const made: Scope[] = [state.scope, ...state.trail.map(({ scope }) => scope)].filter((scope) => scope !== null && !strangers.has(scope)) as Scope[];
  return (place) => {
    if (place === null) return null;
    const before = made.find((scope) => isPlace(scope, place));
    if (before !== undefined) return before;
    const scope = rebuilt(state, place);
    made.push(scope);
    return scope;
  };
}

function rebuilt(state: State, place: Place): Scope {
  const { level, id, process } = place;
  if (level === 'namespace' && id.startsWith(NAMESPACE)) return namespaceScope(id.slice(NAMESPACE.length));
  const member = memberOf(state, place);
  if (member === null) return strangerOf(place);
  const [key, info] = member;
  return process === null ? groupScope(level, key, info) : processScope(key, info, process.pid, process.comm);
}
