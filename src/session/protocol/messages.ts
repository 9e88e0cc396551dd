/** What the two sides of a session say to each other: every kind of message, its direction, its limit, how it is written and read. */
import type { SharedView, Viewer } from '../../frame/company.ts';
import type { Level, PaneId } from '../../frame/frame.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { type ToInjector, type ToKbtop, readToInjector, readToKbtop, writeToInjector, writeToKbtop } from '../../chaos/service/messages.ts';
import { isFields, isText } from '../../chaos/service/shape.ts';
import { MAX_FRAME_BYTES, MAX_VIEW_BYTES, PROTOCOL } from './limits.ts';
import { isWhole, parseJson, readView, readViewers, terminalName } from './shape.ts';
import { HEADER_BYTES, type Limits, type Piece, pack } from './wire.ts';

/** What a viewer asks about faults, as kbtop asks its injector. */
export type ChaosAsk = Extract<ToInjector, { readonly t: 'ask' | 'bad' }>;
/** What a viewer is told about faults, as the injector tells kbtop. */
export type ChaosTold = Exclude<ToKbtop, { readonly t: 'debug' }>;

/** What a session allows, and what it is. */
export interface Welcome {
  /** Of kbtop on the other side. */
  readonly version: string;
  /** This viewer's number. */
  readonly viewer: number;
  /** Node in Kubernetes, or the host's name. Raw. */
  readonly node: string;
  /** Tick length at the moment, milliseconds. */
  readonly intervalMs: number;
  /** This viewer may change interval and levels. */
  readonly control: boolean;
  /** This viewer may arm faults; false without control. */
  readonly chaos: boolean;
  /** What the session's containers are limited to, in words; null: all of the node. Raw. */
  readonly scope: string | null;
  /** Rules that need --expert or --allow-system are allowed on this session. */
  readonly permits: { readonly expert: boolean; readonly allowSystem: boolean };
}

/**
 * Why a server lets go of a viewer. `version`: it speaks another protocol; `refused`: who it is may not look; `full`: no
 * room; `malformed`: it said what is not understood, or too much; `slow`: it took nothing for too long; `ending`: the server ends.
 */
export type ByeReason = 'version' | 'refused' | 'full' | 'malformed' | 'slow' | 'ending';
const BYE_REASONS: readonly ByeReason[] = ['version', 'refused', 'full', 'malformed', 'slow', 'ending'];

export type ToServer =
  /** The first. `terminal`: where the screen is, for people; nothing is decided by it. */
  | { readonly kind: 'hello'; readonly protocol: number; readonly version: string; readonly terminal: string | null }
  | { readonly kind: 'beat' }
  /** The last Frame has been taken: the next one may come. */
  | { readonly kind: 'took' }
  | { readonly kind: 'interval'; readonly ms: number }
  | { readonly kind: 'level'; readonly pane: PaneId; readonly level: Level | 'off' }
  | { readonly kind: 'drive'; readonly on: boolean }
  | { readonly kind: 'follow'; readonly on: boolean }
  | { readonly kind: 'share'; readonly view: SharedView }
  | { readonly kind: 'chaos'; readonly ask: ChaosAsk };

export type ToClient =
  | { readonly kind: 'welcome'; readonly welcome: Welcome }
  /** The last: one line for people. */
  | { readonly kind: 'bye'; readonly reason: ByeReason; readonly message: string }
  | { readonly kind: 'beat' }
  /** See frames.ts. */
  | { readonly kind: 'frame'; readonly packed: Buffer }
  /** What Frames that this viewer did not get had in `learned`; stands before the next one. */
  | { readonly kind: 'learned'; readonly packed: Buffer }
  /** Somebody has changed the tick length, milliseconds. */
  | { readonly kind: 'interval'; readonly ms: number }
  | { readonly kind: 'company'; readonly viewers: readonly Viewer[] }
  | { readonly kind: 'view'; readonly view: SharedView | null }
  | { readonly kind: 'chaos'; readonly told: ChaosTold };

interface Kind {
  readonly code: number;
  /** Longest payload, bytes. */
  readonly max: number;
}

const KIB = 1024;
const TO_SERVER: Readonly<Record<ToServer['kind'], Kind>> = {
  hello: { code: 1, max: KIB }, beat: { code: 2, max: 0 }, took: { code: 3, max: 0 }, interval: { code: 4, max: 64 }, level: { code: 5, max: 128 },
  drive: { code: 6, max: 32 }, follow: { code: 7, max: 32 }, share: { code: 8, max: MAX_VIEW_BYTES }, chaos: { code: 9, max: 64 * KIB },
};
const TO_CLIENT: Readonly<Record<ToClient['kind'], Kind>> = {
  welcome: { code: 65, max: 8 * KIB }, bye: { code: 66, max: 4 * KIB }, beat: { code: 67, max: 0 }, frame: { code: 68, max: MAX_FRAME_BYTES }, learned: { code: 69, max: MAX_FRAME_BYTES },
  company: { code: 70, max: 64 * KIB }, view: { code: 71, max: MAX_VIEW_BYTES + KIB }, chaos: { code: 72, max: 4 * KIB * KIB }, interval: { code: 73, max: 64 },
};

const limitsOf = (kinds: Readonly<Record<string, Kind>>): Limits => new Map(Object.values(kinds).map(({ code, max }) => [code, max]));
export const SERVER_LIMITS = limitsOf(TO_SERVER);
export const CLIENT_LIMITS = limitsOf(TO_CLIENT);
const kindOf = <K extends string>(kinds: Readonly<Record<K, Kind>>, code: number): K | undefined => (Object.keys(kinds) as K[]).find((name) => kinds[name].code === code);

const EMPTY = Buffer.alloc(0);
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

export function writeToServer(message: ToServer): Buffer {
  const { kind, ...rest } = message;
  const { code } = TO_SERVER[kind];
  if (message.kind === 'beat' || message.kind === 'took') return pack(code, EMPTY);
  if (message.kind === 'chaos') return pack(code, message.ask.t === 'bad' ? EMPTY : Buffer.from(writeToInjector(message.ask)));
  return pack(code, json(message.kind === 'share' ? message.view : rest));
}

/** Whether a written message is one that the other side takes. */
export const fits = (bytes: Buffer, limits: Limits): boolean => bytes.length - HEADER_BYTES <= (limits.get(bytes.readUInt8(3)) ?? -1);

export function writeToClient(message: ToClient): Buffer {
  const { code } = TO_CLIENT[message.kind];
  switch (message.kind) {
    case 'beat': return pack(code, EMPTY);
    case 'frame': case 'learned': return pack(code, message.packed);
    case 'welcome': return pack(code, json({ protocol: PROTOCOL, ...message.welcome }));
    case 'bye': return pack(code, json({ reason: message.reason, message: message.message }));
    case 'interval': return pack(code, json({ ms: message.ms }));
    case 'company': return pack(code, json(message.viewers));
    case 'view': return pack(code, json(message.view));
    case 'chaos': return pack(code, Buffer.from(writeToKbtop(message.told)));
  }
}

const LEVELS: readonly (Level | 'off')[] = ['count', 'latency', 'sampled', 'off'];

/** Null: not understood. */
export function readToServer({ kind: code, payload }: Piece): ToServer | null {
  const kind = kindOf(TO_SERVER, code);
  if (kind === undefined) return null;
  if (kind === 'beat' || kind === 'took') return { kind };
  const value = parseJson(payload);
  if (kind === 'share') {
    const view = readView(value);
    return view === null ? null : { kind, view };
  }
  if (!isFields(value)) return null;
  switch (kind) {
    case 'hello': {
      const { protocol, version, terminal } = value;
      return isWhole(protocol) && isText(version) ? { kind, protocol, version, terminal: terminalName(terminal) } : null;
    }
    case 'interval': {
      const { ms } = value;
      return isWhole(ms) ? { kind, ms } : null;
    }
    case 'level': {
      const pane = PANE_IDS.find((id) => id === value['pane']), level = LEVELS.find((one) => one === value['level']);
      return pane === undefined || level === undefined ? null : { kind, pane, level };
    }
    case 'drive': case 'follow': {
      const { on } = value;
      return typeof on === 'boolean' ? { kind, on } : null;
    }
    case 'chaos': {
      const ask = readToInjector(value);
      return ask?.t === 'ask' || ask?.t === 'bad' ? { kind, ask } : null;
    }
  }
}

function readWelcome(value: unknown): Welcome | null {
  if (!isFields(value) || value['protocol'] !== PROTOCOL) return null;
  const { version, viewer, node, intervalMs, control, chaos, scope, permits } = value;
  if (!isText(version) || !isWhole(viewer) || !isText(node) || !isWhole(intervalMs) || typeof control !== 'boolean' || typeof chaos !== 'boolean') return null;
  if (!(scope === null || isText(scope)) || !isFields(permits)) return null;
  return { version, viewer, node, intervalMs, control, chaos, scope, permits: { expert: permits['expert'] === true, allowSystem: permits['allowSystem'] === true } };
}

/** Null: not understood. */
export function readToClient({ kind: code, payload }: Piece): ToClient | null {
  const kind = kindOf(TO_CLIENT, code);
  if (kind === undefined) return null;
  if (kind === 'beat') return { kind };
  if (kind === 'frame' || kind === 'learned') return { kind, packed: payload };
  const value = parseJson(payload);
  switch (kind) {
    case 'welcome': {
      const welcome = readWelcome(value);
      return welcome === null ? null : { kind, welcome };
    }
    case 'bye': {
      if (!isFields(value)) return null;
      const reason = BYE_REASONS.find((one) => one === value['reason']), { message } = value;
      return reason === undefined || !isText(message) ? null : { kind, reason, message };
    }
    case 'interval': {
      const ms = isFields(value) ? value['ms'] : null;
      return isWhole(ms) ? { kind, ms } : null;
    }
    case 'company': {
      const viewers = readViewers(value);
      return viewers === null ? null : { kind, viewers };
    }
    case 'view': {
      if (value === null) return { kind, view: null };
      const view = readView(value);
      return view === null ? null : { kind, view };
    }
    case 'chaos': {
      const told = readToKbtop(value);
      return told === null || told.t === 'debug' ? null : { kind, told };
    }
  }
}
