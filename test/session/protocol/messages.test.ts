import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLIENT_LIMITS, SERVER_LIMITS, type ToClient, type ToServer, readToClient, readToServer, writeToClient, writeToServer } from '../../../src/session/protocol/messages.ts';
import { HEADER_BYTES, pack } from '../../../src/session/protocol/wire.ts';
import { rule } from '../../chaos/service/fixture.ts';

const pieceOf = (bytes: Buffer): { kind: number; payload: Buffer } => ({ kind: bytes.readUInt8(3), payload: bytes.subarray(HEADER_BYTES) });
const NONE = { expert: false, allowSystem: false };

const TO_SERVER: readonly ToServer[] = [
  { kind: 'hello', protocol: 1, version: '0.1.0', terminal: 'pts/3' }, { kind: 'hello', protocol: 7, version: '', terminal: null }, { kind: 'beat' }, { kind: 'took' },
  { kind: 'interval', ms: 500 }, { kind: 'level', pane: 'syscalls', level: 'off' }, { kind: 'drive', on: true }, { kind: 'follow', on: false },
  { kind: 'share', view: { pane: 'opens', filters: { opens: '/etc' } } },
  { kind: 'chaos', ask: { t: 'ask', id: 3, ask: { what: 'capabilities' } } },
  { kind: 'chaos', ask: { t: 'ask', id: 4, ask: { what: 'arm', rule: rule(), permits: NONE, dryRun: true, typed: 'web-1', who: null } } },
  { kind: 'chaos', ask: { t: 'ask', id: 5, ask: { what: 'stopAll', reason: 'panic-key' } } },
];

const TO_CLIENT: readonly ToClient[] = [
  { kind: 'welcome', welcome: { version: '0.1.0', viewer: 2, node: 'worker-1', intervalMs: 1000, control: true, chaos: false, scope: '-n shop', permits: { expert: true, allowSystem: false } } },
  { kind: 'bye', reason: 'slow', message: 'it gave no sign of life' }, { kind: 'beat' }, { kind: 'frame', packed: Buffer.from('x') }, { kind: 'learned', packed: Buffer.alloc(0) },
  { kind: 'company', viewers: [{ id: 1, name: 'alice (pts/0)', uid: 1000, drives: true, follows: false, control: true, skipped: 3 }, { id: 2, name: 'x', uid: null, drives: false, follows: true, control: false, skipped: 0 }] },
  { kind: 'interval', ms: 250 }, { kind: 'view', view: null }, { kind: 'view', view: { paused: true } },
  { kind: 'chaos', told: { t: 'answer', id: 1, value: [1] } }, { kind: 'chaos', told: { t: 'error', id: 1, kind: 'refused', message: 'no' } }, { kind: 'chaos', told: { t: 'bye', reason: 'gone' } },
];

describe('messages', () => {
  it.each(TO_SERVER)('to the server come out as they went in: $kind', (message) => {
    expect(readToServer(pieceOf(writeToServer(message)))).toEqual(message);
  });

  it.each(TO_CLIENT)('to a viewer come out as they went in: $kind', (message) => {
    expect(readToClient(pieceOf(writeToClient(message)))).toEqual(message);
  });

  it.each([
    [1, { protocol: 1.5, version: 'x' }], [1, { protocol: 1 }], [1, []], [4, { ms: '500' }], [4, { ms: -1 }], [4, { ms: 1e300 }], [5, { pane: 'nothing', level: 'off' }], [5, { pane: 'syscalls', level: 'all' }],
    [5, { pane: '__proto__', level: 'off' }], [6, { on: 1 }], [7, null], [8, []], [8, 'x'], [8, { a: { a: { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } } } }], [9, { t: 'hello' }], [9, { t: 'ask', id: 'x' }], [9, { t: 'beat' }],
  ])('of kind %i that say %j are not understood', (kind, value) => {
    expect(readToServer({ kind, payload: Buffer.from(JSON.stringify(value)) })).toBe(null);
  });

  it('of a rule that nobody would make are answered as bad', () => {
    expect(readToServer({ kind: 9, payload: Buffer.from(JSON.stringify({ t: 'ask', id: 9, ask: { what: 'arm', rule: { syscalls: 3 } } })) })).toEqual({ kind: 'chaos', ask: { t: 'bad', id: 9, problem: 'the rule is not understood' } });
  });

  it('tell a terminal only as something that looks like one', () => {
    const terminal = (value: unknown): unknown => (readToServer({ kind: 1, payload: Buffer.from(JSON.stringify({ protocol: 1, version: 'x', terminal: value })) }) as { terminal: unknown }).terminal;
    for (const good of ['pts/0', 'tty1', 'ssh:10.0.0.1', 'pod-1.shop']) expect(terminal(good)).toBe(good);
    for (const bad of ['', 'x'.repeat(33), 'a b', 'pts/0) root (', '\u001b[31m', 'p\u202eq', 7, null, {}, undefined]) expect(terminal(bad)).toBe(null);
  });

  it('that are damaged or made up are never thrown at anybody', () => {
    const kinds = [...SERVER_LIMITS.keys(), ...CLIENT_LIMITS.keys(), 0, 255];
    fc.assert(fc.property(fc.constantFrom(...kinds), fc.oneof(fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)), fc.json().map((text) => Buffer.from(text))), (kind, payload) => {
      readToServer({ kind, payload });
      readToClient({ kind, payload });
    }), { numRuns: 2000 });
    // A byte of a right one is changed.
    const right = [...TO_SERVER.map(writeToServer), ...TO_CLIENT.map(writeToClient)];
    fc.assert(fc.property(fc.constantFrom(...right), fc.nat(), fc.nat(255), (bytes, at, byte) => {
      const { kind, payload } = pieceOf(pack(bytes.readUInt8(3), bytes.subarray(HEADER_BYTES)));
      if (payload.length > 0) payload[at % payload.length] = byte;
      readToServer({ kind, payload });
      readToClient({ kind, payload });
    }), { numRuns: 2000 });
  });
});
