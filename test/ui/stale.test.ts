/** The clock that says how long no Frame has come. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Controller } from '../../src/ui/controller.ts';
import { drawScreen } from '../../src/ui/screen.ts';
import { StaleClock } from '../../src/ui/stale.ts';
import { plain } from './cells.ts';
import { fakeSource } from './fixtures.ts';
import { OPTIONS } from './states.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the clock', () => {
  it('says nothing while Frames come, and uses one timer', () => {
    const told: number[] = [];
    const clock = new StaleClock((ms) => told.push(ms));
    for (let i = 0; i < 100; i++) {
      clock.heard(1000);
      vi.advanceTimersByTime(2500);
      expect(vi.getTimerCount()).toBe(1);
    }
    expect(told).toEqual([]);
  });

  it.each([[250, 2250], [1000, 3000], [10_000, 15_000]])('with one each %i ms begins to say it after %i ms, then every second', (intervalMs, afterMs) => {
    const told: number[] = [];
    const clock = new StaleClock((ms) => told.push(Math.round(ms)));
    clock.heard(intervalMs);
    vi.advanceTimersByTime(afterMs + 2000);
    expect(told).toEqual([afterMs, afterMs + 1000, afterMs + 2000]);
    clock.heard(intervalMs);
    vi.advanceTimersByTime(afterMs - 1);
    expect(told).toHaveLength(3);
    vi.advanceTimersByTime(1);
    expect(told).toHaveLength(4);
    clock.stop();
    vi.advanceTimersByTime(60_000);
    expect(told).toHaveLength(4);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the screen', () => {
  const start = () => {
    const source = fakeSource();
    const controller = new Controller(source, { options: OPTIONS, can: source.can, size: { width: 80, height: 24 }, symbols: 'braille', depth: 0 }, { quit: () => {}, suspend: () => {}, redraw: () => {} });
    controller.connect((error) => { throw error; });
    return { source, controller, header: () => plain(drawScreen(controller.store.getState())[0] ?? '') };
  };

  it('says how old its numbers are, until a Frame comes', () => {
    const { source, header } = start();
    source.emit();
    vi.advanceTimersByTime(12_400);
    expect(header()).toContain('no data for 12s');
    vi.advanceTimersByTime(180_000);
    expect(header()).toContain('no data for 3m12s');
    source.emit();
    expect(header()).not.toContain('no data');
  });

  it('says so, too, when no Frame has ever come', () => {
    const { header } = start();
    vi.advanceTimersByTime(5000);
    expect(header()).not.toContain('no data');
    vi.advanceTimersByTime(2000);
    expect(header()).toContain('no data for');
  });

  it('waits for none while it stands still, and after the end', async () => {
    const { source, controller, header } = start();
    source.emit();
    controller.input([{ kind: 'key', key: { name: 'p', text: 'p' } }]);
    vi.advanceTimersByTime(10_000);
    expect(header()).not.toContain('no data');
    controller.input([{ kind: 'key', key: { name: 'p', text: 'p' } }]);
    expect(header()).toContain('no data for 10s');
    source.end();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(header()).toContain('END');
    expect(header()).not.toContain('no data');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind', () => {
    const { source, controller } = start();
    source.emit();
    vi.advanceTimersByTime(10_000);
    controller.disconnect();
    expect(vi.getTimerCount()).toBe(0);
  });
});
