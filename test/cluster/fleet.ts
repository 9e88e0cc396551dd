/** Nodes of a made-up cluster, whose kernels number their cgroups and processes alike. */
import { Feed, type Now } from '../../src/cluster/feed.ts';
import { type ClusterTick, type NodePart, mergeFrames } from '../../src/cluster/merge.ts';
import { onNode } from '../../src/cluster/on-node.ts';
import type { Frame, NodeStatus } from '../../src/frame/frame.ts';
import { FakeNode, type NodeOptions } from '../ui/fixtures.ts';

export const TICK: ClusterTick = { name: 'prod', seq: 1, time: new Date('2026-11-21T02:00:01.000Z'), intervalMs: 1000 };

export const okStatus = (name: string, frame: Frame, more: Partial<NodeStatus> = {}): NodeStatus => ({
  name, state: 'ok', reason: null, time: frame.time, intervalMs: frame.intervalMs, skewMs: 0, skipped: 0, repeated: false, info: frame.node, self: frame.self, ...more,
});

export const partOf = (name: string, frame: Frame, more: Partial<NodeStatus> = {}): NodePart => ({ status: okStatus(name, frame, more), frame: onNode(frame, name) });

export const merged = (frames: Readonly<Record<string, Frame>>, tick: Partial<ClusterTick> = {}): Frame =>
  mergeFrames(Object.entries(frames).map(([name, frame]) => partOf(name, frame)), { ...TICK, ...tick });

/** So many nodes, whose Frames come tick by tick through feeds as those of agents do. */
export class Fleet {
  readonly nodes: ReadonlyMap<string, FakeNode>;
  readonly feeds: ReadonlyMap<string, Feed>;
  #seq = 0;
  #wall = Date.UTC(2026, 10, 21, 2, 0, 0);

  constructor(names: readonly string[], options: NodeOptions = {}) {
    this.nodes = new Map(names.map((name, i) => [name, new FakeNode({ seed: 11 + i, ...options })]));
    this.feeds = new Map(names.map((name) => [name, new Feed(name)]));
  }

  get now(): Now {
    return { mono: this.#wall, wall: this.#wall };
  }

  /** One second later. @param silent nodes that tell nothing */
  tick(silent: readonly string[] = []): Frame {
    this.#wall += 1000;
    for (const [name, node] of this.nodes) {
      const frame = node.next();
      if (!silent.includes(name)) this.feeds.get(name)?.push(frame, this.now);
    }
    return mergeFrames(Array.from(this.feeds.values(), (feed) => feed.take(this.now)), { ...TICK, seq: ++this.#seq, time: new Date(this.#wall) });
  }
}
