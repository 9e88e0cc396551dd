import { describe, expect, it } from 'vitest';
import { canEndInput, closeMessage, message, readStatus, resizeMessage } from '../../src/cluster/channels.ts';

const status = (value: object): Buffer => Buffer.from(JSON.stringify(value));

describe('messages', () => {
  it('begin with their channel', () => {
    expect([...message(0, Buffer.from('ab'))]).toEqual([0, 97, 98]);
    expect([...closeMessage(0)]).toEqual([255, 0]);
    expect(resizeMessage({ columns: 80, rows: 24 }).toString()).toBe('\x04{"Width":80,"Height":24}');
  });

  it('end stdin alone in version 5 only', () => {
    expect([canEndInput('v5.channel.k8s.io'), canEndInput('v4.channel.k8s.io')]).toEqual([true, false]);
  });
});

describe('the last word', () => {
  it.each<[string, Buffer, unknown]>([
    ['a greeting', Buffer.alloc(0), null],
    ['success', status({ metadata: {}, status: 'Success' }), { kind: 'exited', code: 0 }],
    ['an exit code', status({ status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'Other', message: '9' }, { reason: 'ExitCode', message: '3' }] } }), { kind: 'exited', code: 3 }],
    ['an exit code that is none', status({ status: 'Failure', reason: 'NonZeroExitCode', message: 'm', details: { causes: [{ reason: 'ExitCode', message: 'x' }] } }), { kind: 'failed', reason: 'm' }],
    ['an error of the runtime', status({ status: 'Failure', reason: 'InternalError', message: 'Internal error occurred:\n no such file', code: 500 }), { kind: 'failed', reason: 'Internal error occurred: no such file' }],
    ['an error without a word', status({ status: 'Failure', code: 500 }), { kind: 'failed', reason: 'it ended with status 500' }],
    ['plain text', Buffer.from('no\nsuch pod'), { kind: 'failed', reason: 'no such pod' }],
    ['JSON of another shape', Buffer.from('[1]'), { kind: 'failed', reason: 'it ended with status 0' }],
  ])('%s', (_, bytes, expected) => {
    expect(readStatus(bytes)).toEqual(expected);
  });
});
