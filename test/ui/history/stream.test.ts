import { describe, expect, it } from 'vitest';
import type { TcpRow } from '../../../src/frame/frame.ts';
import { Stream } from '../../../src/ui/history/stream.ts';
import { paneOf } from '../../../src/ui/rows.ts';

const row = (port: number, outcome: TcpRow['outcome'], time = 1): TcpRow => ({
  time: new Date(time).toISOString(), container: '1', pid: 7, nsPid: 7, comm: 'curl', direction: 'connect', family: 4, localAddress: '10.0.0.1', localPort: port,
  remoteAddress: '10.0.0.2', remotePort: 80, outcome, error: null, latencyUs: null, retransmits: 0,
});
const shown = (stream: Stream) => stream.rows().map(({ row }) => `${(row as TcpRow).localPort} ${(row as TcpRow).outcome}`);

describe('Stream', () => {
  it('has the newest row first', () => {
    const stream = new Stream(paneOf('tcp'));
    stream.push([row(1, 'established', 1), row(2, 'refused', 2)]);
    stream.push([row(3, 'established', 3)]);
    expect(shown(stream)).toEqual(['3 established', '2 refused', '1 established']);
  });

  it('puts what became of a pending connection in its place in time, as the same row', () => {
    const stream = new Stream(paneOf('tcp'));
    stream.push([row(1, 'pending', 1), row(2, 'established', 2)]);
    const pending = stream.rows().find(({ row }) => (row as TcpRow).localPort === 1);
    stream.push([row(1, 'pending', 3)]);
    expect(shown(stream)).toEqual(['2 established', '1 pending']);
    stream.push([row(1, 'timeout', 4)]);
    expect(shown(stream)).toEqual(['1 timeout', '2 established']);
    expect(stream.rows()[0]?.key).toBe(pending?.key);
    // The port is used again: a new row.
    stream.push([row(1, 'pending', 5)]);
    expect(shown(stream)).toEqual(['1 pending', '1 timeout', '2 established']);
    expect(new Set(stream.rows().map(({ key }) => key)).size).toBe(3);
  });

  it('keeps equal rows apart', () => {
    const stream = new Stream(paneOf('tcp'));
    stream.push([row(1, 'established'), row(1, 'established')]);
    expect(new Set(stream.rows().map(({ key }) => key)).size).toBe(2);
  });

  it('is bounded, and drops the oldest', () => {
    const stream = new Stream(paneOf('tcp'), 100);
    for (let i = 0; i < 50; i++) stream.push(Array.from({ length: 30 }, (_, j) => row(1 + i * 30 + j, j % 3 === 0 ? 'pending' : 'established')));
    expect(stream.rows()).toHaveLength(100);
    expect(shown(stream)[0]).toMatch(/^1500 /);
    // A pending row that was dropped is forgotten with its key.
    stream.push([row(1, 'timeout')]);
    expect(shown(stream)[0]).toBe('1 timeout');
    expect(stream.rows()).toHaveLength(100);
  });

  it('starts anew when cleared', () => {
    const stream = new Stream(paneOf('tcp'));
    stream.push([row(1, 'pending')]);
    stream.clear();
    stream.push([row(1, 'refused')]);
    expect(shown(stream)).toEqual(['1 refused']);
  });
});
