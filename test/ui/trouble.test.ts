/** A source that stands still and goes on again. */
import { expect, it } from 'vitest';
import { Controller } from '../../src/ui/controller.ts';
import { detectSymbols } from '../../src/ui/symbols.ts';
import { fakeSource } from './fixtures.ts';

it('is said on the screen, which keeps its last Frame, and is taken back', () => {
  let tell: (reason: string | null) => void = () => {};
  let ended = 0;
  const source = { ...fakeSource(), intervalMs: 1000, onTrouble: (listener: typeof tell) => {
    tell = listener;
    return () => { ended++; };
  } };
  const controller = new Controller(source, {
    options: { color: 'never', ascii: true, intervalMs: 1000, readOnly: false, scope: null, saveDirectory: '/', version: '1' },
    can: source.can, size: { width: 80, height: 24 }, symbols: detectSymbols({}, true), depth: 0,
  }, { quit: () => {}, suspend: () => {}, redraw: () => {} });
  controller.connect((error) => { throw error as Error; });
  const frame = source.emit();
  tell('the session is gone');
  expect(controller.store.getState()).toMatchObject({ ended: 'LOST', message: { text: 'the session is gone; trying again', role: 'bad' }, shown: { frame } });
  tell(null);
  expect(controller.store.getState()).toMatchObject({ ended: null, message: { text: 'the session is back', role: 'ok' } });
  // Somebody else on the same capture changed it.
  source.intervalMs = 5000;
  source.emit();
  expect(controller.store.getState().intervalMs).toBe(5000);
  controller.disconnect();
  expect(ended).toBe(1);
});
