import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processStat } from '../../../src/chaos/service/processes.ts';
import { INJECTOR_COMMAND, Registration, registered } from '../../../src/chaos/service/registration.ts';
import { stopEverywhere } from '../../../src/chaos/service/stop.ts';
import { end, firstLine } from '../../workloads/cgroup.ts';
import { isRunning } from './fixture.ts';

let directory: string;
let children: ChildProcess[];
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'kbtop-run-')), 'kbtop');
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map(end));
  rmSync(join(directory, '..'), { recursive: true, force: true });
});

const file = (pid: number): string => join(directory, `chaos-${pid}.json`);
const read = (): Record<string, unknown> => JSON.parse(readFileSync(file(process.pid), 'utf8')) as Record<string, unknown>;

/** A process that looks like an injector, registered as this one is but for its number. */
async function impostor(script: string, name: string = INJECTOR_COMMAND, more: Record<string, unknown> = {}): Promise<number> {
  const child = spawn('/bin/sh', ['-c', `${script}; echo up; while :; do sleep 0.05; done`, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await firstLine(child);
  const pid = child.pid ?? 0;
  const own = Registration.make(directory);
  writeFileSync(file(pid), JSON.stringify({ ...read(), pid, startTime: processStat(pid)?.startTime, faults: ['a fault'], ...more }));
  own.end();
  return pid;
}

describe('a registration', () => {
  it('is a file of a directory for root alone, with what is armed, until its end', () => {
    const own = Registration.make(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(read()).toMatchObject({ pid: process.pid, startTime: processStat(process.pid)?.startTime, faults: [] });
    own.tell(['one', 'two']);
    expect(read()).toMatchObject({ faults: ['one', 'two'] });
    expect(readdirSync(directory)).toEqual([`chaos-${process.pid}.json`]);
    own.end();
    own.tell(['late']);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is not made where others may write', () => {
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    expect(() => Registration.make(directory)).toThrow(/cannot register in .*: others may write there; nothing is armed/);
    expect(() => registered(directory)).toThrow(/not to be trusted/);
  });

  it('is not made without a place', () => {
    expect(() => Registration.make(join(directory, 'a/b'))).toThrow(/there is no such directory/);
  });
});

describe('stopping', () => {
  it('ends who is there, and says what was armed', async () => {
    const pid = await impostor('true');
    expect(await stopEverywhere({ directory })).toMatchObject({ stopped: [{ pid, faults: ['a fault'] }], left: [], foreign: [] });
    expect(isRunning(pid)).toBe(false);
  });

  it('kills who does not go', async () => {
    const pid = await impostor('trap "" TERM');
    expect(await stopEverywhere({ directory, politeMs: 200 })).toMatchObject({ stopped: [{ pid }], left: [] });
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(file(pid))).toBe(false);
  });

  it.each([
    ['has the number of an injector that is gone', INJECTOR_COMMAND, { startTime: '1' }],
    ['is no injector', 'some-program', {}],
  ])('leaves alone who %s, and takes the file away', async (_what, name, more) => {
    const pid = await impostor('true', name, more);
    expect(await stopEverywhere({ directory })).toEqual({ stopped: [], left: [], foreign: [] });
    expect(isRunning(pid)).toBe(true);
    expect(existsSync(file(pid))).toBe(false);
  });

  it('tells of another pid namespace\'s, and leaves it alone', async () => {
    const pid = await impostor('true', INJECTOR_COMMAND, { pidNamespace: 'pid:[1]' });
    expect(await stopEverywhere({ directory })).toMatchObject({ stopped: [], left: [], foreign: [{ pid }] });
    expect(isRunning(pid)).toBe(true);
    expect(existsSync(file(pid))).toBe(true);
  });

  it('does not stumble over what else lies there', async () => {
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(file(1), '{"pid":1,"startTime":"0","pidNamespace":"x","faults":[]}');
    writeFileSync(file(2), 'x'.repeat(100_000));
    writeFileSync(file(3), '[]');
    symlinkSync('/etc/passwd', file(4));
    mkdirSync(file(5));
    expect(await stopEverywhere({ directory })).toEqual({ stopped: [], left: [], foreign: [] });
    expect(await stopEverywhere({ directory: join(directory, 'none') })).toEqual({ stopped: [], left: [], foreign: [] });
  });
});
