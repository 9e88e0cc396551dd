import { describe, expect, it } from 'vitest';
import { EXIT, Interrupted, KbtopError, OutputClosed, reportOf } from '../../src/cli/errors.ts';

describe('reportOf', () => {
  it('says nothing when the reader is gone or the user stopped it', () => {
    expect(reportOf(new OutputClosed())).toMatchObject({ code: 0, line: null });
    expect(reportOf(new Interrupted())).toMatchObject({ code: 130, line: null });
  });

  it('keeps our own code and message', () => {
    expect(reportOf(new KbtopError(EXIT.notFound, 'no such thing'))).toMatchObject({ code: 4, line: 'no such thing' });
  });

  it('takes a refusal by the kernel for not possible here', () => {
    const denied = Object.assign(new Error('cannot load x: not permitted'), { code: 'EPERM', errno: 1, libbpfLog: 'libbpf: no', verifierLog: 'R1 bad' });
    const report = reportOf(denied);
    expect(report).toMatchObject({ code: 3, line: 'cannot load x: not permitted' });
    expect(report.detail).toContain('libbpf: no\nR1 bad');
    expect(reportOf(Object.assign(new Error('not built'), { code: 'ERR_ADDON' }))).toMatchObject({ code: 1, line: 'not built' });
  });

  it('is one line, safe for a terminal, whatever was thrown', () => {
    expect(reportOf(new KbtopError(EXIT.failed, 'a\n  b\u001b[31m\n')).line).toBe('a; b\\e[31m');
    expect(reportOf(new TypeError('x is not a function')).line).toMatch(/^internal error: x is not a function; please report/);
    expect(reportOf(Object.assign(new TypeError('bad argument'), { code: 'ERR_INVALID_ARG_TYPE' })).line).toMatch(/^internal error: bad argument/);
    for (const thrown of [null, undefined, 'text', 5, {}]) {
      expect(reportOf(thrown)).toMatchObject({ code: 1, line: expect.stringMatching(/^internal error: [^\n]+$/) as string });
    }
  });

  it('keeps the cause for --debug', () => {
    expect(reportOf(new KbtopError(EXIT.failed, 'outer', { cause: new Error('inner') })).detail).toMatch(/outer[^]*caused by: Error: inner/);
  });
});
