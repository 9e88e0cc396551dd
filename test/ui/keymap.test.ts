import { describe, expect, it } from 'vitest';
import { GROUPS, KEYMAP, activeBindings, bindingFor, keyName } from '../../src/ui/keymap.ts';
import { drawScreen } from '../../src/ui/screen.ts';
import { plain } from './cells.ts';
import { emptyState, liveState, press } from './states.ts';

const contexts = ['main', 'menu', 'picker', 'overlay', 'form', 'faults', 'dryRun', 'confirm', 'waiting'] as const;

describe('the keymap', () => {
  it('gives no key two meanings in one context', () => {
    for (const context of contexts) {
      const keys = KEYMAP.filter((binding) => binding.context.includes(context)).flatMap((binding) => binding.keys);
      expect(keys.toSorted()).toEqual([...new Set(keys)].toSorted());
    }
  });

  it('has a label, a description and a known group for each binding', () => {
    for (const binding of KEYMAP) {
      expect(binding.keys.length).toBeGreaterThan(0);
      expect(binding.label).not.toBe('');
      expect(binding.description).not.toBe('');
      expect(GROUPS).toHaveProperty(binding.group);
    }
  });

  it('lets everybody leave from every context', () => {
    for (const context of contexts) expect(KEYMAP.some((binding) => binding.command === 'interrupt' && binding.context.includes(context))).toBe(true);
    for (const context of contexts) expect(KEYMAP.some((binding) => binding.command === 'back' && binding.context.includes(context))).toBe(true);
  });

  it('finds what a key does, by context', () => {
    expect(bindingFor(liveState(), 'q')?.command).toBe('quit');
    expect(bindingFor(press(liveState(), '?'), 'q')?.command).toBe('close');
    expect(bindingFor(press(liveState(), 's'), 'enter')?.command).toBe('accept');
    expect(bindingFor(liveState(), 'enter')?.command).toBe('enter');
    expect(bindingFor(liveState(), 'f24')).toBeNull();
  });

  it('leaves out what a read-only screen or its source cannot do', () => {
    const commands = (state = emptyState()) => activeBindings(state).map((binding) => binding.command);
    expect(commands()).toEqual(expect.arrayContaining(['level', 'slower', 'faster']));
    for (const state of [emptyState({ readOnly: true }), emptyState({ can: { setInterval: false, setLevel: false } })]) {
      expect(commands(state)).not.toEqual(expect.arrayContaining(['level']));
      expect(commands(state)).not.toEqual(expect.arrayContaining(['slower']));
      expect(bindingFor(state, 'L')).toBeNull();
      expect(bindingFor(state, '+')).toBeNull();
      expect(drawScreen({ ...state, size: { width: 250, height: 60 } }).map(plain).at(-1)).not.toMatch(/Level|\+\/-/);
    }
  });

  it('says every active key in the help, and the most important ones in the footer', () => {
    const state = press(liveState({ size: { width: 160, height: 200 } }), '?');
    const help = drawScreen(state).map(plain).join('\n');
    for (const binding of activeBindings(state)) if (binding.command !== 'focus') for (const key of binding.keys) expect(help).toContain(keyName(key, false));
    expect(help).toContain('1-6');
    const footer = plain(drawScreen(liveState({ size: { width: 80, height: 24 } })).at(-1) ?? '');
    expect(footer).toMatch(/^ q Quit {2}\? Help {2}\/ Filter {2}s Sort {2}p Pause/);
  });

  it.each([['ctrl-l', '^L'], ['f5', 'F5'], ['up', '↑'], ['shift-tab', 'S-Tab'], ['a', 'a'], ['pagedown', 'PgDn']])('writes %s as %s', (key, name) => {
    expect(keyName(key, false)).toBe(name);
  });

  it('writes arrows in ASCII where there is nothing else', () => {
    expect(keyName('up', true)).toBe('Up');
  });
});
