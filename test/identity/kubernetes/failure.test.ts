import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/identity/kubernetes/backoff.ts';
import { Failure, networkFailure, retryAfterMs } from '../../../src/identity/kubernetes/failure.ts';
import { Lines } from '../../../src/identity/kubernetes/lines.ts';
import { ManualClock } from './support/clock.ts';

describe('Retry-After', () => {
  const now = Date.parse('2026-11-21T02:00:00Z');
  it.each<[string | undefined, number]>([
    [undefined, 0], ['0', 0], ['5', 5_000], [' 7 ', 7_000], ['Sat, 21 Nov 2026 02:00:30 GMT', 30_000], ['Sat, 21 Nov 2026 01:00:00 GMT', 0], ['soon', 0], ['-3', 0], ['99999999', 600_000],
  ])('%s is %d ms', (header, want) => expect(retryAfterMs(header, now)).toBe(want));
});

describe('errors of the network, for people', () => {
  it.each<[string, string, RegExp, Failure['kind']]>([
    ['ECONNREFUSED', '', /^connection refused$/, 'network'], ['ECONNRESET', '', /^the connection was reset$/, 'network'], ['EHOSTUNREACH', '', /^no route to host$/, 'network'],
    ['ENOTFOUND', '', /^the host name api does not resolve$/, 'network'], ['EAI_AGAIN', '', /^the name server does not answer for api$/, 'network'],
    ['SELF_SIGNED_CERT_IN_CHAIN', '', /unknown authority/, 'network'], ['CERT_HAS_EXPIRED', '', /has expired/, 'network'], ['CERT_NOT_YET_VALID', '', /not valid yet/, 'network'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', '', /not made for api/, 'network'], ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', '', /refused the client certificate/, 'unauthorized'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', '', /does not speak TLS/, 'network'], ['EPROTO', 'x:error:0A00010B:SSL routines::wrong version number WRONG_VERSION_NUMBER', /does not speak TLS/, 'network'],
    ['HPE_INVALID_CONSTANT', '', /does not speak HTTP/, 'network'], ['ERR_OSSL_PEM_NO_START_LINE', 'no start line', /cannot be used: no start line/, 'configuration'],
    ['EWHATEVER', 'some\n thing', /^some thing \(EWHATEVER\)$/, 'network'],
  ])('%s', (code, message, reason, kind) => {
    const failure = networkFailure(Object.assign(new Error(message), { code }), 'api');
    expect([failure.message, failure.kind]).toEqual([expect.stringMatching(reason), kind]);
  });

  it('are one line, however much was said', () => {
    expect(networkFailure('a\nb', 'api').message).toBe('a b');
    expect(networkFailure(new Error('x'.repeat(10_000)), 'api').message.length).toBeLessThan(500);
    const failure = new Failure('server', 'as it is');
    expect(networkFailure(failure, 'api')).toBe(failure);
    expect(networkFailure(undefined, 'api').message).toBe('undefined');
  });
});

describe('pauses', () => {
  it('lie between the half and the whole of a step that doubles up to a minute', () => {
    for (const [chance, want] of [[0, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]], [0.999_999, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]]] as const) {
      const backoff = new Backoff(Object.assign(new ManualClock(), { chance }));
      expect(want.map(() => Math.round(backoff.next()))).toEqual(want);
      backoff.reset();
      expect(Math.round(backoff.next())).toBe(want[0]);
    }
  });
});

describe('lines', () => {
  it('are put together from chunks; empty ones are none', () => {
    const lines = new Lines(100);
    expect(['a', 'b\n\nc', '\nd\n', ''].flatMap((chunk) => lines.push(Buffer.from(chunk)))).toEqual(['ab', 'c', 'd']);
  });

  it('are the same wherever their bytes are split', () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: 'binary', minLength: 1 }).map((text) => text.replaceAll(/[\n\ud800-\udfff]/g, '漢🙂')), { maxLength: 8 }), fc.array(fc.nat(300)), (texts, points) => {
      const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''));
      const lines = new Lines(100_000);
      const got: string[] = [];
      let from = 0;
      for (const to of [...points.filter((point) => point < bytes.length), bytes.length].sort((a, b) => a - b)) {
        got.push(...lines.push(bytes.subarray(from, to)));
        from = to;
      }
      expect(got).toEqual(texts);
    }));
  });

  it('may be as long as allowed, and no longer', () => {
    const lines = new Lines(5);
    expect(lines.push(Buffer.from('12345\n123'))).toEqual(['12345']);
    expect(() => lines.push(Buffer.from('456'))).toThrow('longer than 5 bytes');
  });
});
