import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crumbText } from '../../../src/ui/parts/crumbs.ts';
import { hostile } from '../arbitrary.ts';
import { PENS, pen } from '../cells.ts';

const WAY = ['shop', 'deploy/web', 'web-5d9f6c7b8-iz6xk', 'app', 'nginx 21925'];

describe('the way into a scope', () => {
  it('is whole where there is room', () => {
    expect(crumbText(pen, WAY, 200)).toBe('shop › deploy/web › web-5d9f6c7b8-iz6xk › app › nginx 21925');
    expect(crumbText(pen, WAY, 59)).toBe('shop › deploy/web › web-5d9f6c7b8-iz6xk › app › nginx 21925');
    expect(crumbText(pen, ['ns:shop'], 20)).toBe('ns:shop');
  });

  it('loses the middle of long names first, then its beginning', () => {
    expect(crumbText(pen, WAY, 54)).toBe('shop › deploy/web › web-5d9…-iz6xk › app › nginx 21925');
    expect(crumbText(pen, WAY, 52)).toBe('shop › deploy/web › web-5d…iz6xk › app › nginx 21925');
    expect(crumbText(pen, WAY, 51)).toBe('… › deploy/web › web-5d9…-iz6xk › app › nginx 21925');
    expect(crumbText(pen, WAY, 36)).toBe('… › web-5d…iz6xk › app › nginx 21925');
    expect(crumbText(pen, WAY, 20)).toBe('… › nginx 21925');
  });

  it('always ends where the screen is, in no more room than there is', () => {
    fc.assert(fc.property(fc.constantFrom(...PENS), fc.array(hostile, { minLength: 1, maxLength: 6 }), fc.integer({ min: 16, max: 200 }), (one, crumbs, room) => {
      expect(one.width(crumbText(one, crumbs, room))).toBeLessThanOrEqual(room);
    }), { numRuns: 500 });
  });
});
