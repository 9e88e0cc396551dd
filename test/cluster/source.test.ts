/** The whole cluster as a source, over sessions under the test's hand and a clock that waits for it. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Agent, AgentEvents, AgentWatch } from '../../src/cluster/agents.ts';
import type { AgentSession, OpenSession, Turn } from '../../src/cluster/member.ts';
import { ClusterSource, NoAgents } from '../../src/cluster/source.ts';
import type { Frame, NodeStatus } from '../../src/frame/frame.ts';
import { Failure } from '../../src/identity/kubernetes/failure.ts';
import { contractProblems } from '../frame/contract.ts';
import { ManualClock, until } from '../identity/kubernetes/support/clock.ts';
import { FakeNode } from '../ui/fixtures.ts';

const agent = (node: string, more: Partial<Agent> = {}): Agent => ({ node, namespace: 'kbtop', pod: `kbtop-${node}`, uid: `uid-${node}`, status: 'Running', running: true, ...more });

class FakeSession implements AgentSession {
  readonly #frames = new Set<(frame: Frame) => void>();
  readonly #troubles = new Set<(reason: string | null) => void>();
  readonly #end = Promise.withResolvers<void>();
  readonly done = this.#end.promise;
  closed = 0;

  subscribe(onFrame: (frame: Frame) => void): () => void {
    this.#frames.add(onFrame);
    return () => { this.#frames.delete(onFrame); };
  }

  onTrouble(listener: (reason: string | null) => void): () => void {
    this.#troubles.add(listener);
    return () => { this.#troubles.delete(listener); };
  }

  emit(frame: Frame): void {
    for (const listener of this.#frames) listener(frame);
  }

  trouble(reason: string | null): void {
    for (const listener of this.#troubles) listener(reason);
  }

  fail(error: Error): void {
    this.#end.reject(error);
  }

  get listeners(): number {
    return this.#frames.size + this.#troubles.size;
  }

  async close(): Promise<void> {
    this.closed += 1;
    this.#end.resolve();
  }
}

class FakeWatch implements AgentWatch {
  events: AgentEvents | null = null;
  closed = false;

  start(events: AgentEvents): void {
    this.events = events;
  }

  close(): void {
    this.closed = true;
  }
}

/** A cluster in which everything happens when the test says so. */
class Rig {
  readonly clock = new ManualClock();
  readonly watch = new FakeWatch();
  readonly sessions = new Map<string, FakeSession[]>();
  readonly frames: Frame[] = [];
  /** In place of a session. */
  refuse: ((agent: Agent, turn: Turn) => Promise<AgentSession>) | null = null;
  opened = 0;
  source: ClusterSource | null = null;

  readonly open: OpenSession = async (of, turn) => {
    this.opened += 1;
    if (this.refuse !== null) return this.refuse(of, turn);
    const session = new FakeSession();
    this.sessions.set(of.node, [...this.sessions.get(of.node) ?? [], session]);
    return session;
  };

  async start(...agents: readonly Agent[]): Promise<void> {
    const opening = ClusterSource.open({
      name: 'prod', namespace: 'kbtop', intervalMs: 1000, agents: this.watch, open: this.open, clock: this.clock,
      now: () => ({ mono: this.clock.now(), wall: Date.UTC(2026, 10, 21, 2, 0, 0) + this.clock.now() }),
    });
    this.watch.events?.found(agents);
    this.source = await opening;
    this.source.subscribe((frame) => void this.frames.push(frame));
    await this.settle();
  }

  /** Whatever promises and immediates wait for. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => { setImmediate(resolve); });
  }

  /** In steps: the next tick is settled only once the last one has been shown. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1000) {
      this.clock.pass(Math.min(left, 1000));
      await this.settle();
    }
  }

  session(node: string): FakeSession {
    return this.sessions.get(node)?.at(-1) as FakeSession;
  }

  node(name: string): NodeStatus | undefined {
    return this.frames.at(-1)?.nodes?.find((one) => one.name === name);
  }

  get last(): Frame {
    return this.frames.at(-1) as Frame;
  }
}

let rig: Rig;
const uncaught: unknown[] = [];
const catcher = (reason: unknown): void => void uncaught.push(reason);
process.on('unhandledRejection', catcher);
afterEach(async () => {
  await rig.source?.close();
  await rig.settle();
  if (uncaught.length > 0) throw new Error(`nobody caught ${uncaught.map(String).join(', ')}`);
  if ([...rig.sessions.values()].flat().some(({ closed, listeners }) => closed === 0 || listeners > 0)) throw new Error('a session was left open');
});

describe('the whole cluster', () => {
  it('is a Frame a tick, with what the agents told', async () => {
    rig = new Rig();
    await rig.start(agent('n1'), agent('n2'));
    await rig.pass(250);
    expect(rig.last.nodes?.map(({ name, state }) => [name, state])).toEqual([['n1', 'connecting'], ['n2', 'connecting']]);
    rig.session('n1').emit(new FakeNode({ seed: 1 }).next());
    rig.session('n2').emit(new FakeNode({ seed: 2 }).next());
    await rig.pass(1000);
    expect(rig.last).toMatchObject({ seq: 2, intervalMs: 1000, node: { name: 'prod' } });
    expect(rig.last.nodes?.map(({ state }) => state)).toEqual(['ok', 'ok']);
    expect(rig.last.panes.containers.rows.length).toBe(32);
    for (const frame of rig.frames) expect(contractProblems(frame)).toEqual([]);
  });

  it('waits for nobody: a node that hangs costs its own rows', async () => {
    rig = new Rig();
    rig.refuse = async (of) => (of.node === 'n2' ? await new Promise<never>(() => {}) : rig.session('n1'));
    const session = new FakeSession(), node = new FakeNode();
    rig.sessions.set('n1', [session]);
    await rig.start(agent('n1'), agent('n2'));
    await rig.pass(250);
    for (let i = 0; i < 5; i++) {
      session.emit(node.next());
      await rig.pass(1000);
    }
    expect(rig.frames.map(({ intervalMs }) => intervalMs)).toEqual([1000, 1000, 1000, 1000, 1000, 1000]);
    expect(rig.node('n1')?.state).toBe('ok');
    expect(rig.node('n2')?.state).toBe('connecting');
  });

  it('opens so many streams at once and no more, each in its turn', async () => {
    rig = new Rig();
    let inside = 0, most = 0;
    const waiting: (() => void)[] = [];
    rig.refuse = async (_of, turn) => turn(async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise<void>((resolve) => { waiting.push(resolve); });
      inside -= 1;
      return new FakeSession();
    });
    await rig.start(...Array.from({ length: 50 }, (_, i) => agent(`n${i}`)));
    let done = 0;
    while (waiting.length > 0) {
      waiting.shift()?.();
      done += 1;
      await rig.settle();
    }
    expect(most).toBe(16);
    expect(done).toBe(50);
  });

  it('tries again with longer and longer pauses where no stream can be had, and says why', async () => {
    rig = new Rig();
    rig.refuse = async () => { throw new Error('nobody serves\nthere'); };
    await rig.start(agent('n1'));
    await rig.pass(250);
    expect(rig.node('n1')).toMatchObject({ state: 'lost', reason: 'nobody serves there' });
    const tries: number[] = [];
    for (let second = 0; second < 120; second++) {
      await rig.pass(1000);
      tries.push(rig.opened);
    }
    // One, two, four, ... seconds, up to a minute: not a hundred times.
    expect(tries.at(-1)).toBeGreaterThan(5);
    expect(tries.at(-1)).toBeLessThan(12);
    rig.refuse = null;
    await rig.pass(60_000);
    rig.session('n1').emit(new FakeNode().next());
    await rig.pass(1000);
    expect(rig.node('n1')).toMatchObject({ state: 'ok', reason: null });
  });

  it('refuses a node of another version with the reason; the others go on', async () => {
    rig = new Rig();
    await rig.start(agent('n1'), agent('n2'));
    const node = new FakeNode();
    rig.session('n1').emit(node.next());
    rig.session('n2').emit(new FakeNode().next());
    await rig.pass(250);
    rig.session('n2').fail(new Error('it is kbtop 9.9, this one is 0.1'));
    await rig.settle();
    rig.session('n1').emit(node.next());
    await rig.pass(1000);
    expect(rig.node('n2')).toMatchObject({ state: 'refused', reason: 'it is kbtop 9.9, this one is 0.1', time: null });
    expect(rig.node('n1')?.state).toBe('ok');
    expect(Object.values(rig.last.containers).every((one) => one.node === 'n1')).toBe(true);
    const { opened } = rig;
    await rig.pass(59_000);
    expect(rig.opened).toBe(opened);
    await rig.pass(61_000);
    expect(rig.opened).toBe(opened + 1);
  });

  it('shows why a session is in trouble, and keeps its rows until they are late', async () => {
    rig = new Rig();
    await rig.start(agent('n1'));
    rig.session('n1').emit(new FakeNode().next());
    await rig.pass(250);
    rig.session('n1').trouble('the connection broke; trying again');
    await rig.pass(1000);
    expect(rig.node('n1')).toMatchObject({ state: 'lost', reason: 'the connection broke; trying again', repeated: true });
    expect(rig.last.panes.containers.rows.length).toBe(16);
    await rig.pass(5000);
    expect(rig.last.panes.containers.rows).toEqual([]);
    rig.session('n1').trouble(null);
    rig.session('n1').emit(new FakeNode().next());
    await rig.pass(1000);
    expect(rig.node('n1')).toMatchObject({ state: 'ok', reason: null });
  });

  it('takes in nodes that come, lets go of those that leave, and follows an agent that is replaced', async () => {
    rig = new Rig();
    await rig.start(agent('n1'), agent('n2'));
    rig.watch.events?.found([agent('n1', { uid: 'other', pod: 'kbtop-other' }), agent('n3', { running: false, status: 'ContainerCreating' })]);
    await rig.pass(1000);
    expect(rig.last.nodes?.map(({ name }) => name)).toEqual(['n1', 'n3']);
    expect(rig.sessions.get('n1')?.map(({ closed }) => closed > 0)).toEqual([true, false]);
    expect(rig.session('n2').closed).toBe(1);
    expect(rig.node('n3')).toMatchObject({ state: 'connecting', reason: 'its pod kbtop-n3 is ContainerCreating' });
    expect(rig.sessions.has('n3')).toBe(false);
    // What the one before still tells is nobody's.
    rig.sessions.get('n1')?.[0]?.emit(new FakeNode().next());
    await rig.pass(1000);
    expect(rig.node('n1')?.state).toBe('connecting');
    rig.watch.events?.found([agent('n1', { uid: 'other', pod: 'kbtop-other' }), agent('n3')]);
    await rig.pass(1000);
    expect(rig.sessions.get('n3')?.length).toBe(1);
    expect(rig.sessions.get('n1')?.length).toBe(2);
  });

  it('closes a session that comes too late', async () => {
    rig = new Rig();
    const late = new FakeSession(), { promise, resolve } = Promise.withResolvers<AgentSession>();
    rig.refuse = () => promise;
    await rig.start(agent('n1'));
    await rig.source?.close();
    resolve(late);
    await rig.settle();
    expect(late.closed).toBe(1);
    expect(rig.clock.pending).toEqual([]);
  });

  it('ticks as often as it is told, whatever the agents do', async () => {
    rig = new Rig();
    await rig.start(agent('n1'));
    expect(rig.source?.can).toEqual({ setInterval: true, setLevel: false });
    await rig.pass(250);
    rig.source?.setInterval(5000);
    await rig.pass(4999);
    expect(rig.frames.length).toBe(1);
    await rig.pass(1);
    expect(rig.last.intervalMs).toBe(5000);
  });

  it('ticks less often where showing takes longer, so that keys are heard', async () => {
    rig = new Rig();
    await rig.start(agent('n1'));
    // A screen that takes three seconds for each Frame.
    rig.source?.subscribe(() => rig.clock.pass(3000));
    await rig.pass(250);
    expect(rig.frames.length).toBe(1);
    await rig.pass(2999);
    expect(rig.frames.length).toBe(1);
    await rig.pass(1);
    expect(rig.frames.length).toBe(2);
    expect(rig.last.intervalMs).toBe(6000);
  });

  it('says at once that there are no agents, or that nobody may know', async () => {
    rig = new Rig();
    await expect(rig.start()).rejects.toThrow(NoAgents);
    await expect(rig.start()).rejects.toThrow(/^no agents in namespace kbtop .*kubectl apply -k deploy\/base.*$/);
    expect(rig.watch.closed).toBe(true);
    const { watch } = rig;
    const opening = ClusterSource.open({ name: 'prod', namespace: 'kbtop', intervalMs: 1000, agents: watch, open: rig.open, clock: rig.clock });
    watch.events?.trouble(new Failure('forbidden', 'answered 403'));
    await expect(opening).rejects.toThrow('answered 403');
    expect(rig.clock.pending).toEqual([]);
  });

  it('goes on with the nodes it knows while the list is not fresh, and tells so', async () => {
    rig = new Rig();
    await rig.start(agent('n1'));
    const told: (string | null)[] = [];
    rig.source?.onTrouble((reason) => void told.push(reason));
    rig.watch.events?.trouble(new Failure('network', 'connection refused'));
    expect(rig.source?.trouble).toBe('the list of agents is not fresh: connection refused');
    rig.watch.events?.trouble(null);
    expect(told).toEqual(['the list of agents is not fresh: connection refused', null]);
    await rig.pass(1000);
    expect(rig.last.nodes?.length).toBe(1);
  });

  it('gives the last Frame to whoever comes later, and none to whoever has left', async () => {
    rig = new Rig();
    await rig.start(agent('n1'));
    await rig.pass(250);
    const later: Frame[] = [];
    const leave = rig.source?.subscribe((frame) => void later.push(frame));
    await until('the last Frame', () => later.length === 1);
    leave?.();
    await rig.pass(1000);
    expect(later.length).toBe(1);
  });
});
