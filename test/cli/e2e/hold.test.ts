/** bin/kbtop hold: the main process of a debug pod. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { processesOf } from '../../../src/cluster/session-processes.ts';
import { until } from '../../ui/terminal/screen.ts';
import { onlyLine, start } from './kbtop.ts';

const session = (): string => randomBytes(8).toString('hex');
const hold = (id: string, ...args: string[]) => start(['hold', ...args], { env: { KBTOP_SESSION: id } });
/** A process of the session that nothing but SIGKILL ends. */
const stubborn = (id: string) => spawn('/bin/sh', ['-c', 'trap "" TERM; while :; do sleep 0.1; done'], { env: { ...process.env, KBTOP_SESSION: id }, stdio: 'ignore' });

describe('kbtop hold', () => {
  it('ends every process of its session when it is let go of, and no other', async () => {
    const [mine, other] = [session(), session()];
    const [stays, goes] = [stubborn(other), stubborn(mine)];
    const { child, ended } = hold(mine);
    child.stdin.write('.');
    await until(() => processesOf(mine).length >= 2, () => 'not begun');
    child.stdin.end();
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
    await until(() => goes.signalCode === 'SIGKILL', () => 'still there');
    expect(processesOf(mine)).toEqual([]);
    expect(stays.exitCode ?? stays.signalCode).toBe(null);
    stays.kill('SIGKILL');
  });

  it('ends them when whoever holds it falls silent', async () => {
    const id = session();
    const goes = stubborn(id);
    const done = await hold(id, '--silence', '300ms').ended;
    expect(done.code).toBe(1);
    expect(onlyLine(done)).toMatch(/has not been heard of/);
    await until(() => goes.signalCode === 'SIGKILL', () => 'still there');
  });

  it('ends them within the kubelet\'s grace', async () => {
    const id = session();
    const goes = stubborn(id);
    const { child, ended, out } = hold(id);
    child.stdin.write('.');
    await until(() => out() === '.', () => 'no answer');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(130);
    await until(() => goes.signalCode === 'SIGKILL', () => 'still there');
  });

  it('is nothing to be started by hand', async () => {
    const done = await start(['hold']).ended;
    expect(done.code).toBe(2);
    expect(onlyLine(done)).toMatch(/is started by kubectl kbtop itself/);
  });
});
