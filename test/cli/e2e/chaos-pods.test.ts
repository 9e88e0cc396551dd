/** kbtop chaos on real pods: found by their names, hit without their pause containers, followed when they start anew. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../../src/chaos/audit.ts';
import { Pod } from '../../runtime/pods.ts';
import { kbtopOn } from '../../runtime/kbtop.ts';
import { Runtime, unavailable } from '../../runtime/runtime.ts';
import { canLoadBpf, until } from '../../workloads/cgroup.ts';
import { KBTOP, onlyLine, start } from './kbtop.ts';

const why = unavailable() ?? (canLoadBpf ? null : 'no BTF');
const READER = { name: 'reader', command: ['sh', '-c', 'while :; do : < /bin/sh; sleep 0.02; done'] } as const;

interface Line {
  readonly event: 'armed' | 'hit' | 'ended';
  readonly hit?: { readonly cgroup: string; readonly comm: string };
  readonly fault?: unknown;
}

describe.skipIf(why !== null)(`kbtop chaos beside a container runtime${why === null ? '' : ` (${why})`}`, () => {
  let runtime: Runtime;
  let directory: string;
  beforeAll(async () => {
    runtime = await Runtime.start();
    directory = mkdtempSync(join(tmpdir(), 'kbtop-chaos-pods-'));
  });
  afterAll(async () => {
    await runtime.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const env = (): NodeJS.ProcessEnv => ({ KBTOP_RUN_DIRECTORY: join(directory, 'run') });
  const flags = (...args: readonly string[]): string[] => ['chaos', 'run', '--audit', join(directory, 'audit.jsonl'), '--syscall', '%open', '--delay', '1ms', '--yes', '-o', 'ndjson', ...args];
  const lines = (stdout: string): Line[] => stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Line);
  function begin(...args: readonly string[]): ReturnType<typeof start> {
    const [command = '', ...prefix] = runtime.inside;
    return start([...prefix, KBTOP, ...flags(...args)], { command, env: env() });
  }

  it('hits the containers of one pod, by name, and not its pause container nor its neighbour', async () => {
    await using pod = await Pod.start(runtime, { name: 'web-1', namespace: 'shop', containers: [READER, { ...READER, name: 'side' }] });
    await using other = await Pod.start(runtime, { name: 'web-2', namespace: 'shop', containers: [READER] });
    const plan = await kbtopOn(runtime, ['chaos', 'plan', '-o', 'json', '--pod', 'shop/web-1', '--syscall', '%open', '--delay', '1ms'], { env: env() });
    const [{ targets }] = (JSON.parse(plan.stdout) as { rules: [{ targets: { key: string }[] }] }).rules;
    const keys = new Set(targets.map(({ key }) => key));
    expect([pod.container('reader').key, pod.container('side').key, pod.sandbox.key, other.container('reader').key].map((key) => keys.has(key))).toEqual([true, true, false, false]);

    const whole = await kbtopOn(runtime, flags('--pod', 'shop/web-1', '--max-hits', '40', '--for', '20s'), { env: env() });
    const hits = lines(whole.stdout).filter(({ event }) => event === 'hit');
    expect(hits).toHaveLength(40);
    expect(new Set(hits.map(({ hit }) => hit?.cgroup))).toEqual(new Set([pod.container('reader').key, pod.container('side').key]));
    expect(whole).toMatchObject({ code: 0 });
    const one = await kbtopOn(runtime, flags('--pod', 'shop/web-1', '-c', 'side', '--max-hits', '5', '--for', '20s'), { env: env() });
    expect(new Set(lines(one.stdout).flatMap(({ hit }) => (hit ? [hit.cgroup] : [])))).toEqual(new Set([pod.container('side').key]));

    const wrong = await kbtopOn(runtime, flags('--pod', 'shop/web-11'), { env: env() });
    expect(wrong.code).toBe(4);
    expect(onlyLine(wrong)).toMatch(/no pod shop\/web-11 runs on this node; did you mean shop\/web-[12]/);
  });

  it('follows a container that starts anew, and ends with its pod', async () => {
    const pod = await Pod.start(runtime, { name: 'again', namespace: 'shop', containers: [READER] });
    const before = pod.container('reader');
    const running = begin('--pod', 'shop/again', '-c', 'reader', '--max-hits', '900', '--for', '60s');
    const hitsOf = (key: string): number => lines(running.out()).filter(({ hit }) => hit?.cgroup === key).length;
    await until('hits of the first container', () => hitsOf(before.key) > 3);
    await pod.removeContainer(before.name, before.id);
    const after = await pod.startContainer(READER);
    expect(after.key).not.toBe(before.key);
    await until('hits of the second container', () => hitsOf(after.key) > 3);
    await pod.remove();
    const { code, stderr } = await running.ended;
    expect(code).toBe(4);
    expect(stderr.trim().split('\n').at(-1)).toBe('kbtop: the fault ended before its time: shop/again/reader is gone');
    const audit = readFileSync(join(directory, 'audit.jsonl'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as AuditRecord);
    expect(audit.at(-1)).toMatchObject({ event: 'ended', reason: 'target-gone' });
  });
});
