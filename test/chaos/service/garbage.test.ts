/** What comes over the socket pair is not trusted: garbage, half lines, endless lines and silence. */
import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Duplex } from 'node:stream';
import { join } from 'node:path';
import { PROTOCOL } from '../../../src/chaos/service/messages.ts';
import { INJECTOR_COMMAND } from '../../../src/chaos/service/registration.ts';
import { draftOf } from '../../../src/chaos/validate.ts';
import { ended, until } from '../../workloads/cgroup.ts';
import { CHILDREN, Fake, rule } from './fixture.ts';

let fake: Fake;
let child: ChildProcess;
let door: Duplex;
let text: string;
let beat: NodeJS.Timeout;

const say = (value: unknown): void => { door.write(`${JSON.stringify(value)}\n`); };
const heard = (): Record<string, unknown>[] => text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>);
const answer = (id: number): Promise<Record<string, unknown>> => until(`answer ${id}`, () => heard().find((one) => one['id'] === id && (one['t'] === 'answer' || one['t'] === 'error')));

function greet(): void {
  say({ t: 'hello', protocol: PROTOCOL, settings: { sources: null, auditFile: join(fake.directory, 'audit.jsonl'), runDirectory: join(fake.directory, 'run'), node: 'n', debug: false } });
}

beforeEach(() => {
  fake = new Fake();
  child = spawn(process.execPath, [join(CHILDREN, 'fake-injector.ts'), INJECTOR_COMMAND], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  door = child.stdio[3] as Duplex;
  text = '';
  door.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; }).on('error', () => {});
  beat = setInterval(() => say({ t: 'beat' }), 300);
});

afterEach(async () => {
  clearInterval(beat);
  door.destroy();
  await ended(child);
  fake[Symbol.dispose]();
});

const ARM = { what: 'arm', rule: draftOf(rule()), permits: {}, dryRun: false, typed: null };

describe('the injector', () => {
  it('goes on after garbage from a kbtop that it knows, and takes lines in halves', async () => {
    greet();
    door.write('{"t":\n\u0000\u0001\n[]\n"x"\n42\n{"t":"dance"}\n{"t":"ask"}\n\n');
    const line = `${JSON.stringify({ t: 'ask', id: 1, ask: ARM })}\n`;
    door.write(line.slice(0, 20));
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    door.write(line.slice(20));
    expect(await answer(1)).toMatchObject({ t: 'answer', value: { state: 'armed' } });
    expect(child.exitCode).toBe(null);
  });

  it.each([
    ['no question', null, 'the question is not understood'],
    ['an unknown one', { what: 'format-disk' }, 'the question is not known'],
    ['a rule of wrong types', { ...ARM, rule: { ...ARM.rule, maxHits: '10' } }, 'the rule is not understood'],
    ['a rule with more in it', { ...ARM, rule: { ...ARM.rule, __proto__x: 1 } }, 'the rule is not understood'],
    ['a rule that no kbtop would make', { ...ARM, rule: { ...ARM.rule, duration: 10 ** 9 } }, 'duration: duration must be 100ms to 15m'],
    ['a rule with a refused error', { ...ARM, rule: { ...ARM.rule, error: 'ERESTARTSYS' } }, 'error: '],
    ['nothing about a dry run', { ...ARM, dryRun: 'no' }, 'whether it is a dry run'],
    ['an unknown reason', { what: 'stopAll', reason: 'because' }, 'why all faults are to end'],
  ])('refuses %s', async (_what, ask, message) => {
    greet();
    say({ t: 'ask', id: 7, ask });
    expect(await answer(7)).toMatchObject({ t: 'error', kind: 'failed', message: expect.stringContaining(message) as string });
    expect(fake.journal.filter((line) => line.startsWith('arm'))).toEqual([]);
  });

  it('decides alone: what a client says about permits and refusals does not matter', async () => {
    greet();
    say({ t: 'ask', id: 1, ask: { ...ARM, rule: { ...ARM.rule, target: { pod: 'kube-system/coredns-1' } }, refusals: [], permits: { allowSystem: 'yes', expert: 1 } } });
    expect(await answer(1)).toMatchObject({ t: 'error', kind: 'refused' });
  });

  it.each([
    ['speaks before it greets', () => say({ t: 'ask', id: 1, ask: ARM })],
    ['speaks another version', () => say({ t: 'hello', protocol: PROTOCOL + 1, settings: {} })],
    ['only speaks garbage', () => door.write('x\n'.repeat(50))],
    ['never ends its line', () => door.write('x'.repeat(5 * 1024 * 1024))],
  ])('arms nothing for who %s', async (what, speak) => {
    speak();
    if (what.startsWith('speaks before')) expect(await answer(1)).toMatchObject({ t: 'error', message: 'the injector was not greeted' });
    else expect(await ended(child)).toBe(0);
    expect(fake.journal).toEqual([]);
  });

  it('ends with what it holds when the garbage does not end', async () => {
    greet();
    say({ t: 'ask', id: 1, ask: ARM });
    await answer(1);
    door.write('x\n'.repeat(50));
    expect(await ended(child)).toBe(0);
    expect(fake.journal.slice(-2)).toEqual(['clear', 'close']);
    expect(heard().at(-1)).toMatchObject({ t: 'bye' });
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends what it holds at %s', async (signal) => {
    greet();
    say({ t: 'ask', id: 1, ask: ARM });
    await answer(1);
    child.kill(signal);
    expect(await ended(child)).toBe(0);
    expect(fake.journal.slice(-2)).toEqual(['clear', 'close']);
    expect(fake.audit.at(-1)).toMatchObject({ event: 'ended', reason: signal === 'SIGINT' ? 'interrupted' : 'stopped' });
    expect(heard().findLast((one) => one['t'] === 'fault')).toMatchObject({ fault: { state: 'ended' } });
  });
});
