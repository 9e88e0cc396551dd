/**
 * Frames added up: what a Frame counts in its interval becomes counters and histograms since the start, what it only
 * tells (CPU, memory, states) is as in the last Frame. Every count is added to the labels that its container has in that
 * Frame and stays there, so nothing falls when a container gets its name late, is started again or loses its series.
 */
import type { Frame, Latency, PaneId } from '../../frame/frame.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { type TextFormat, labelText } from '../../output/exposition.ts';
import { type Metric, type MetricSink, walkPane } from '../../output/frame-metrics.ts';
import { COUNTER, Family, GAUGE, HISTOGRAM, INFO, type Kind } from './family.ts';
import { Identities, Identity, otherLabels } from './identity.ts';
import { PROCESS_METRICS, processUse } from './process.ts';

export interface AccumulatorOptions {
  /** Version of the program. */
  readonly version: string;
  /** Series of one family at the most, every bucket being one. */
  readonly maxSeries: number;
  /** For so long the series of a container that has ended stay, milliseconds of captured time. */
  readonly keepMs: number;
}

/** Scrapes so far. */
export interface ScrapeCost {
  scrapes: number;
  /** What making their texts took, seconds. */
  seconds: number;
}

/** All kinds of values look alike to what does not look at them. */
type AnyFamily = Pick<Family<unknown, never>, 'name' | 'begin' | 'settle' | 'drop' | 'text' | 'folded'>;

/** The node's and kbtop's own are as many as there are panes and causes; this never comes to bear. */
const OWN_SERIES = 10_000;

/** Of no container and no node. */
const SELF = new Identity('', Infinity);

const good = (value: number): boolean => Number.isFinite(value) && value >= 0;

function isSound({ buckets, sumUs, sampled, count }: Latency): boolean {
  if (!good(sumUs) || !good(sampled) || !good(count)) return false;
  for (const bucket of buckets) if (!good(bucket[1])) return false;
  return true;
}

export class Accumulator implements MetricSink {
  readonly #options: AccumulatorOptions;
  readonly #families = new Map<string, AnyFamily>();
  readonly #identities = new Identities();
  readonly cost: ScrapeCost = { scrapes: 0, seconds: 0 };
  #node: Identity | null = null;
  #who: (container: string) => Identity = () => SELF;
  /** Captured so far, milliseconds: a clock that no one sets. */
  #now = 0;
  #last: Pick<Frame, 'seq' | 'time'> | null = null;

  constructor(options: AccumulatorOptions) {
    this.#options = options;
  }

  #family<Value, Input>(name: string, help: string, kind: Kind<Value, Input>, most = OWN_SERIES): Family<Value, Input> {
    let family = this.#families.get(name) as Family<Value, Input> | undefined;
    if (!family) this.#families.set(name, family = new Family(name, help, kind, most));
    return family;
  }

  number({ name, help, total, combine }: Metric, container: string | null, labels: string, value: number): void {
    // A Frame may come from a file or a socket: what is no number must not spoil a sum for ever.
    if (!good(value)) return;
    if (container === null) this.#family(name, total ?? help, total === undefined ? GAUGE[combine] : COUNTER_FROM_0).add(this.#node ?? SELF, labels, value);
    else this.#family(name, total ?? help, total === undefined ? GAUGE[combine] : COUNTER, this.#options.maxSeries).add(this.#who(container), labels, value);
  }

  latency({ name, help, total }: Metric, container: string, labels: string, latency: Latency): void {
    if (!isSound(latency)) return;
    this.#family(name, total ?? help, HISTOGRAM, this.#options.maxSeries).add(this.#who(container), labels, latency);
  }

  /** Add a Frame. One that is there already is not added again. */
  add(frame: Frame): void {
    if (frame.seq === this.#last?.seq && frame.time === this.#last.time) return;
    const missed = this.#last === null ? 0 : Math.max(0, frame.seq - this.#last.seq - 1);
    this.#last = { seq: frame.seq, time: frame.time };
    this.#now += good(frame.intervalMs) ? frame.intervalMs : 0;
    for (const family of this.#families.values()) family.begin();
    this.#rename(labelText({ node: frame.node.name }));
    this.#who = this.#identities.of(frame, this.#now);
    this.#addOwn(frame, missed);
    for (const pane of this.#panes(frame)) walkPane(frame, pane, this);
    const other = otherLabels(frame.node.name);
    for (const family of this.#families.values()) family.settle(other);
    this.#who = () => SELF;
    for (const identity of this.#identities.expire(this.#now - this.#options.keepMs)) this.#drop(identity);
  }

  #drop(identity: Identity): void {
    for (const family of this.#families.values()) family.drop(identity);
  }

  #rename(labels: string): void {
    if (this.#node?.labels === labels) return;
    if (this.#node) this.#drop(this.#node);
    this.#node = new Identity(labels, Infinity);
  }

  /** A pane that was switched off is not down. */
  #panes(frame: Frame): readonly PaneId[] {
    return PANE_IDS.filter((pane) => frame.panes[pane].state.status !== 'off');
  }

  /** What is told of kbtop and of the node. */
  #addOwn(frame: Frame, missed: number): void {
    const { node, self } = frame;
    const gauge = (name: string, help: string, who: Identity, value: number): void => this.#family(name, help, GAUGE.max).add(who, '', value);
    const counter = (name: string, help: string, value: number): void => this.#family(name, help, COUNTER_FROM_0).add(SELF, '', value);
    const here = this.#node ?? SELF;
    this.#family('kbtop_build', 'The program', INFO).add(SELF, labelText({ version: this.#options.version }), 1);
    this.#family('kbtop_node', 'The node', INFO).add(here, labelText({ kernel: node.kernel, arch: node.arch, cgroup_mode: node.cgroupMode }), 1);
    gauge('kbtop_node_cpus', 'CPUs of the node', here, node.cpus);
    gauge('kbtop_interval_seconds', 'Length of the last Frame\'s interval', here, frame.intervalMs / 1000);
    gauge('kbtop_interval_end_timestamp_seconds', 'End of the last Frame\'s interval, Unix time', here, Date.parse(frame.time) / 1000);
    gauge('kbtop_faults_armed', 'Faults that kbtop has armed (chaos)', here, frame.chaos.filter(({ state }) => state === 'armed').length);
    counter('kbtop_frames', 'Frames that the numbers are made of', 1);
    counter('kbtop_frames_missed', 'Frames that never came, so that their counts are missing', missed);
    if (self.bpfCpuPct !== null && good(self.bpfCpuPct)) counter('kbtop_bpf_cpu_seconds', 'CPU time in the BPF programs of kbtop, charged to whom they watch', (self.bpfCpuPct / 100) * (frame.intervalMs / 1000));
  }

  /** What is known of this process, and of the texts themselves, now. */
  #addProcess(): void {
    const use = processUse();
    const set = (name: string, help: string, labels: string, value: number, kind: Kind<{ value: number }, number>): void => {
      const family = this.#family(name, help, kind);
      family.begin();
      family.add(SELF, labels, value);
      family.settle('');
    };
    for (const [key, { name, help }] of Object.entries(PROCESS_METRICS)) {
      const value = use[key as keyof typeof use];
      if (value !== null) set(name, help, '', value, key === 'cpuSeconds' ? TOLD_COUNTER : GAUGE.max);
    }
    set('kbtop_scrapes', 'Scrapes that were answered before this text was made', '', this.cost.scrapes, TOLD_COUNTER);
    set('kbtop_scrape_build_seconds', 'Time that making such texts took before this one; each Frame\'s is made once at the most', '', this.cost.seconds, TOLD_COUNTER);
    const folded = this.#family('kbtop_metrics_folded', 'Rows of the last Frame without a series of their own, by family: they are counted under container="_other"', GAUGE.max);
    folded.begin();
    for (const family of this.#families.values()) if (family.folded > 0 && family.name !== folded.name) folded.add(SELF, labelText({ family: family.name }), family.folded);
    folded.settle('');
  }

  /** All of it as text. */
  text(format: TextFormat): string {
    const begin = performance.now();
    this.#addProcess();
    let text = '';
    for (const family of this.#families.values()) text += family.text(format);
    if (format === 'openmetrics') text += '# EOF\n';
    this.cost.seconds += (performance.now() - begin) / 1000;
    return text;
  }

  /** Who is remembered; for tests of what it costs. */
  get identities(): number {
    return this.#identities.size;
  }
}

/** Counters that are worth a series when they are 0. */
const COUNTER_FROM_0: Kind<{ value: number }, number> = { ...COUNTER, fromZero: true };
/** Counters that somebody else counts. */
const TOLD_COUNTER: Kind<{ value: number }, number> = { ...GAUGE.max, type: 'counter', fromZero: true };
