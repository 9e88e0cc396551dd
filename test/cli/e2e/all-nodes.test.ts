/**
 * Three agents on this machine, each a real `kbtop serve` with a name of its own, seen as one cluster through real
 * `kbtop attach --stdio` processes, as exec would start them in their pods.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, type Readable } from 'node:stream';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type Command, agentStream } from '../../../src/cluster/agent-stream.ts';
import type { Agent, AgentEvents, AgentWatch } from '../../../src/cluster/agents.ts';
import type { OpenSession } from '../../../src/cluster/member.ts';
import { AttachSource } from '../../../src/session/client/attach-source.ts';
import { ClusterSource } from '../../../src/cluster/source.ts';
import type { Frame, NodeStatus } from '../../../src/frame/frame.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { contractProblems } from '../../frame/contract.ts';
import { canLoadBpf, until } from '../../workloads/cgroup.ts';
import { KBTOP } from './kbtop.ts';


/** A process in place of a command in a pod. */
class ChildCommand extends Duplex implements Command {
  readonly #child: ChildProcess;
  readonly stderr: Readable;
  readonly exit: Command['exit'];

  constructor(child: ChildProcess) {
    super();
    this.#child = child;
    this.stderr = child.stderr as Readable;
    this.exit = once(child, 'close').then(([code]) => ({ kind: 'exited' as const, code: Number(code) }));
    child.stdout?.on('data', (chunk: Buffer) => { if (!this.push(chunk)) child.stdout?.pause(); });
    child.stdout?.on('end', () => this.push(null));
    child.stdin?.on('error', () => {});
  }

  override _read(): void {
    this.#child.stdout?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#child.stdin?.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.#child.stdin?.end();
    done();
  }

  close(): void {
    this.#child.kill();
  }
}

const dir = mkdtempSync(join(tmpdir(), 'kbtop-nodes-'));
const socketOf = (node: string): string => join(dir, `${node}.sock`);
const children = new Set<ChildProcess>();

function run(args: readonly string[]): ChildProcess {
  const child = spawn(KBTOP, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], HOME: dir, LC_ALL: 'C.UTF-8' } });
  children.add(child);
  child.once('close', () => children.delete(child));
  return child;
}

async function serve(node: string): Promise<ChildProcess> {
  // What one that was killed left behind.
  rmSync(socketOf(node), { force: true });
  const child = run(['serve', '--socket', socketOf(node), '--node', node, '--interval', '500ms']);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => { said += text.toString(); });
  await until(`a socket of ${node}`, () => {
    if (child.exitCode !== null) throw new Error(`serve ended: ${said}`);
    return existsSync(socketOf(node));
  });
  return child;
}

const agentOf = (node: string): Agent => ({ node, namespace: 'kbtop', pod: `kbtop-${node}`, uid: node, status: 'Running', running: true });

class Watch implements AgentWatch {
  readonly #agents: readonly Agent[];

  constructor(agents: readonly Agent[]) {
    this.#agents = agents;
  }

  start({ found }: AgentEvents): void {
    found(this.#agents);
  }

  close(): void {}
}

describe.skipIf(!canLoadBpf)('three agents as one cluster (needs root, BTF and kbtop serve)', () => {
  let source: ClusterSource | null = null;
  const frames: Frame[] = [];

  async function look(nodes: readonly string[]): Promise<void> {
    const open: OpenSession = (agent, turn) => AttachSource.open({
      version: '0.1.0', terminal: null, steps: { firstMs: 200, longestMs: 1000 },
      dial: () => turn(async () => agentStream(new ChildCommand(run(['attach', '--stdio', socketOf(agent.node)])))),
    });
    source = await ClusterSource.open({ name: 'test', namespace: 'kbtop', intervalMs: 500, agents: new Watch(nodes.map(agentOf)), open });
    source.subscribe((frame) => void frames.push(frame));
  }

  const node = (name: string): NodeStatus | undefined => frames.at(-1)?.nodes?.find((one) => one.name === name);
  const ok = (...names: readonly string[]): boolean => names.every((name) => node(name)?.state === 'ok');
  const rowsOf = (name: string): number => frames.at(-1)?.panes.containers.rows.filter(({ container }) => container.endsWith(`@${name}`)).length ?? 0;

  async function becomes(so: () => boolean): Promise<void> {
    await until('the cluster to be so', so, 40_000).catch((error: Error) => { throw new Error(`${error.message}: ${JSON.stringify(frames.at(-1)?.nodes)}`, { cause: error }); });
  }

  afterEach(async () => {
    await source?.close();
    source = null;
    frames.length = 0;
    for (const child of children) {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
    }
    await until('the end of all processes', () => children.size === 0);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('are a Frame of the contract, with every pane and the rows of each', async () => {
    const names = ['worker-1', 'worker-2', 'worker-3'];
    await Promise.all(names.map(serve));
    await look(names);
    await becomes(() => ok(...names) && names.every((name) => rowsOf(name) > 0) && PANE_IDS.every((id) => frames.at(-1)?.panes[id].state.status === 'ok'));
    const frame = frames.at(-1) as Frame;
    expect(contractProblems(frame)).toEqual([]);
    // One machine: what is there three times is three times as much.
    const [first] = frame.nodes as [NodeStatus];
    expect(frame.node.cpus).toBe(3 * (first.info?.cpus ?? 0));
    for (const { skewMs, self } of frame.nodes ?? []) {
      expect(Math.abs(skewMs ?? Infinity)).toBeLessThan(5000);
      expect(self?.rssBytes).toBeGreaterThan(0);
    }
  });

  it('go on when one is stopped, killed and comes back, and say so', async () => {
    const names = ['worker-1', 'worker-2'];
    const [, second] = await Promise.all(names.map(serve)) as [ChildProcess, ChildProcess];
    await look(names);
    await becomes(() => ok(...names));
    second.kill('SIGSTOP');
    await becomes(() => node('worker-2')?.state === 'late');
    expect(node('worker-2')?.reason).toMatch(/^nothing from it for \d+ s$/);
    expect(rowsOf('worker-2')).toBe(0);
    expect(node('worker-1')?.state).toBe('ok');
    second.kill('SIGCONT');
    await becomes(() => ok(...names));
    second.kill('SIGKILL');
    await becomes(() => node('worker-2')?.state === 'lost' && rowsOf('worker-2') === 0);
    expect(node('worker-2')?.reason).not.toMatch(/\n/);
    expect(node('worker-1')?.state).toBe('ok');
    await serve('worker-2');
    await becomes(() => ok(...names) && rowsOf('worker-2') > 0);
    expect(contractProblems(frames.at(-1))).toEqual([]);
  });

  it('say what is wrong with one that is no session of kbtop, and with one where nobody serves', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    });
    rmSync(socketOf('worker-2'), { force: true });
    server.listen(socketOf('worker-2'));
    await once(server, 'listening');
    try {
      await serve('worker-1');
      await look(['worker-1', 'worker-2', 'worker-3']);
      await becomes(() => ok('worker-1') && node('worker-2')?.state === 'lost' && node('worker-3')?.state === 'lost');
      expect(node('worker-2')?.reason).toMatch(/no session|no message of kbtop/);
      expect(node('worker-3')?.reason).toMatch(/kbtop serve/);
    } finally {
      server.close();
    }
  });
});
