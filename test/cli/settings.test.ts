import { describe, expect, it } from 'vitest';
import { settle, wantsColor } from '../../src/cli/settings.ts';

describe('wantsColor', () => {
  it.each([
    [true, false, { NO_COLOR: '1' }, true],
    [false, true, {}, false],
    [null, true, {}, true],
    [null, true, { NO_COLOR: '' }, true],
    [null, true, { NO_COLOR: '1' }, false],
    [null, true, { TERM: 'dumb' }, false],
    [null, false, {}, false],
  ])('asked %s, terminal %s, environment %j: %s', (asked, terminal, environment, wanted) => {
    expect(wantsColor(asked, terminal, environment)).toBe(wanted);
  });
});

describe('settle', () => {
  it('has defaults for everything', async () => {
    expect(await settle({ config: '/dev/null' })).toEqual({
      config: { sort: {} }, intervalMs: 1000, color: null, ascii: false, containers: [], pods: [], readOnly: false, debug: false,
    });
  });

  it('lets flags win over the configuration', async () => {
    expect(await settle({ config: '/dev/null', interval: 250, color: false, ascii: true, container: ['a'] })).toMatchObject({ intervalMs: 250, color: false, ascii: true, containers: ['a'] });
  });
});
