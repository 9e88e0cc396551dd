import { describe, expect, it } from 'vitest';
import { Announcer } from '../../../src/identity/files/announcer.ts';
import { sleep } from '../test-host.ts';

describe('the announcer', () => {
  it('tells at once what comes alone, and gathers while more is coming', async () => {
    let more = false;
    const calls: string[][] = [];
    const announcer = new Announcer(() => more);
    announcer.onChange((ids) => calls.push([...(ids ?? [])]));
    announcer.add('a', 'b');
    announcer.add('a');
    expect(calls).toEqual([]);
    await sleep(5);
    expect(calls).toEqual([['a', 'b']]);
    more = true;
    announcer.add('c');
    await sleep(1);
    announcer.add('d');
    expect(calls.length).toBe(1);
    await sleep(60);
    expect(calls.slice(1).flat()).toEqual(['c', 'd']);
  });

  it('tells what is left when asked to, and nothing after close', async () => {
    const calls: string[][] = [];
    const announcer = new Announcer(() => true);
    announcer.onChange((ids) => calls.push([...(ids ?? [])]));
    announcer.add('a');
    announcer.flush();
    expect(calls).toEqual([['a']]);
    announcer.add('b');
    announcer.close();
    announcer.add('c');
    await sleep(60);
    expect(calls).toEqual([['a']]);
  });
});
