import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { LAYOUTS, calculateLayout, placeOf } from '../../src/ui/layout.ts';
import type { State } from '../../src/ui/model.ts';
import { emptyState, press } from './states.ts';

const at = (width: number, height: number, more = {}) => calculateLayout(emptyState({ size: { width, height }, ...more }));

describe('calculateLayout', () => {
  it('fills the terminal exactly, at every size, zoomed or not', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 120 }), fc.boolean(), fc.nat(LAYOUTS.length), fc.constantFrom(...PANE_IDS), (width, height, zoomed, layout, focus) => {
      const { header, tabs, footer, bodyHeight, rows } = at(width, height, { zoomed, layout, focus });
      expect(header + tabs + footer + bodyHeight).toBe(height);
      expect(rows.reduce((n, row) => n + (row[0]?.height ?? 0), 0)).toBe(bodyHeight);
      for (const row of rows) {
        expect(row.reduce((n, pane) => n + pane.width, 0)).toBe(width);
        expect(new Set(row.map((pane) => pane.height)).size).toBe(1);
      }
    }));
  });

  it('has a place for every pane, one, in every layout, from 80x24 on', () => {
    for (const [width, height] of [[80, 24], [160, 45], [250, 70]] as const) {
      LAYOUTS.forEach((_, layout) => {
        const shown = at(width, height, { layout }).rows.flat();
        expect(shown.flatMap((pane) => [pane.id, ...pane.behind]).toSorted()).toEqual([...PANE_IDS].toSorted());
        expect(shown.map((pane) => pane.id).toSorted()).toEqual(PANE_IDS.filter((id) => id !== 'processes').toSorted());
        // Frame, heading and two rows at least.
        for (const pane of shown) expect(pane.height).toBeGreaterThanOrEqual(5);
      });
    }
  });

  it('is that of the mock-up at 80x24', () => {
    expect(at(80, 24).rows.map((row) => row.map((pane) => [pane.id, pane.width, pane.height]))).toEqual([
      [['syscalls', 40, 7], ['runqueue', 40, 7]], [['opens', 40, 6], ['tcp', 40, 6]], [['containers', 80, 9]],
    ]);
  });

  it('shows one pane and tabs below 80x24', () => {
    for (const [width, height] of [[79, 24], [80, 23], [40, 12]] as const) {
      const layout = at(width, height, { focus: 'tcp' });
      expect(layout.tabs).toBe(1);
      expect(layout.rows.flat().map((pane) => pane.id)).toEqual(['tcp']);
    }
  });

  it('gives the zoomed pane the whole body', () => {
    const layout = at(160, 45, { zoomed: true, focus: 'opens' });
    expect(placeOf(layout, 'opens')).toEqual({ id: 'opens', width: 160, height: 43, behind: [] });
    expect(placeOf(layout, 'tcp')).toBeNull();
  });

  it('shows of those that share a place the one with the focus, or that had it last', () => {
    const shown = (state: State) => calculateLayout(state).rows.flat().find((pane) => pane.id === 'containers' || pane.id === 'processes');
    LAYOUTS.forEach((_, layout) => {
      const state = emptyState({ size: { width: 160, height: 45 }, layout });
      expect(shown(state)).toMatchObject({ id: 'containers', behind: ['processes'] });
      expect(shown(press(state, '6'))).toMatchObject({ id: 'processes', behind: ['containers'] });
      expect(shown(press(state, '6', '1'))).toMatchObject({ id: 'processes', behind: ['containers'] });
      expect(shown(press(state, '6', '1', '5', '2'))).toMatchObject({ id: 'containers', behind: ['processes'] });
      expect(shown(press(state, '5', '6', 'tab', 'shift-tab', 'shift-tab', 'tab', '3'))).toMatchObject({ id: 'processes' });
    });
  });
});
