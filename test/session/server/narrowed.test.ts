import { expect, it } from 'vitest';
import type { Frame } from '../../../src/frame/frame.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { narrowed } from '../../../src/session/server/narrowed.ts';
import { TickSource } from '../fixture.ts';

it('a session has only what is meant, names that come late as well, and one Frame for all', () => {
  const source = new TickSource();
  const shop = narrowed(source, (_key, { namespace }) => namespace === 'shop');
  const [one, other]: Frame[][] = [[], []];
  shop.subscribe((frame) => one?.push(frame));
  shop.subscribe((frame) => other?.push(frame));
  const whole = source.tick();
  source.tick({ learned: whole.containers });
  const [first, second] = one ?? [];
  if (first === undefined || second === undefined) throw new Error('no Frames');
  expect(other).toEqual([first, second]);
  expect(other?.[0]).toBe(first);
  const namespaces = new Set(PANE_IDS.flatMap((id) => first.panes[id].rows.map(({ container }) => first.containers[container]?.namespace)));
  expect([...namespaces]).toEqual(['shop']);
  expect(new Set(Object.values(second.learned).map(({ namespace }) => namespace))).toEqual(new Set(['shop']));
  expect(Object.keys(whole.containers).length).toBeGreaterThan(Object.keys(first.containers).length);
});
