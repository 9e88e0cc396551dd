/**
 * A Frame as OpenMetrics 1.0 text. All numbers are about the Frame's interval, so they are gauges and histograms of
 * that interval, never counters; the text is valid in Prometheus' older format, too (node_exporter's textfile
 * collector). Rows with equal labels are put together: a series must not stand twice.
 */
import type { RowContext, RowMetric } from '../frame/columns.ts';
import type { ContainerInfo, Frame, Latency, Loss, PaneId } from '../frame/frame.ts';
import { contextOf, podName, containerName } from '../frame/names.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
import { type AnyPane, type AnyRow, paneDef, rowsOf } from './any-pane.ts';

type Labels = Readonly<Record<string, string>>;
type Combine = 'sum' | 'max';

/** Upper bounds of the exported histograms, microseconds: every second octave of the kernel's buckets, so that no count is split. */
export const LE_US: readonly number[] = Array.from({ length: 14 }, (_, i) => 2 ** (10 + 2 * i) / 1000);

const UNITS = ['seconds', 'bytes', 'ratio'];

/** Backslash, quote and newline as the format wants them. A NUL would end the text for some readers. */
const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\0', '\uFFFD');

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', "'");

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}

/** Bounds are written as floats: "1.0". */
const bound = (seconds: number): string => (Number.isInteger(seconds) ? seconds.toFixed(1) : String(seconds));

const labelText = (labels: Labels): string => Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',');

const braced = (labels: string): string => (labels === '' ? '' : `{${labels}}`);

class Gauge {
  readonly #values = new Map<string, number>();
  readonly #combine: Combine;

  constructor(combine: Combine) {
    this.#combine = combine;
  }

  add(labels: Labels, value: number): void {
    const key = labelText(labels);
    const before = this.#values.get(key);
    this.#values.set(key, before === undefined ? value : this.#combine === 'sum' ? before + value : Math.max(before, value));
  }

  lines(name: string): string[] {
    return Array.from(this.#values, ([labels, value]) => `${name}${braced(labels)} ${number(value)}`);
  }
}

class Histogram {
  /** Per series: one count per bound and one for what lies above all, then the sum in microseconds. */
  readonly #series = new Map<string, { readonly counts: number[]; sumUs: number }>();

  add(labels: Labels, latency: Latency): void {
    const key = labelText(labels);
    let series = this.#series.get(key);
    if (!series) this.#series.set(key, series = { counts: Array.from({ length: LE_US.length + 1 }, () => 0), sumUs: 0 });
    for (const [lowerUs, count] of latency.buckets) {
      const found = LE_US.findIndex((upper) => lowerUs < upper);
      const index = found < 0 ? LE_US.length : found;
      series.counts[index] = (series.counts[index] ?? 0) + count;
    }
    series.sumUs += latency.sumUs;
  }

  lines(name: string): string[] {
    return Array.from(this.#series).flatMap(([labels, { counts, sumUs }]) => {
      const prefix = labels === '' ? '' : `${labels},`;
      let below = 0;
      const lines = counts.map((count, i) => {
        below += count;
        const upper = LE_US[i];
        return `${name}_bucket{${prefix}le="${upper === undefined ? '+Inf' : bound(upper / 1e6)}"} ${below}`;
      });
      lines.push(`${name}_count${braced(labels)} ${below}`, `${name}_sum${braced(labels)} ${number(sumUs / 1e6)}`);
      return lines;
    });
  }
}

/** Metric families in the order in which they were first asked for. */
class Families {
  readonly #all = new Map<string, { readonly help: string; readonly of: Gauge | Histogram }>();

  gauge(name: string, help: string, combine: Combine = 'sum'): Gauge {
    const known = this.#all.get(name)?.of;
    if (known instanceof Gauge) return known;
    const of = new Gauge(combine);
    this.#all.set(name, { help, of });
    return of;
  }

  histogram(name: string, help: string): Histogram {
    const known = this.#all.get(name)?.of;
    if (known instanceof Histogram) return known;
    const of = new Histogram();
    this.#all.set(name, { help, of });
    return of;
  }

  text(): string {
    const families = Array.from(this.#all, ([name, { help, of }]) => {
      const lines = of.lines(name);
      if (lines.length === 0) return '';
      const unit = UNITS.find((suffix) => name.endsWith(`_${suffix}`));
      return [
        `# HELP ${name} ${escapeHelp(help)}`,
        `# TYPE ${name} ${of instanceof Gauge ? 'gauge' : 'histogram'}`,
        ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
        ...lines,
      ].map((line) => `${line}\n`).join('');
    });
    return `${families.join('')}# EOF\n`;
  }
}

/** Who: the same four labels on every series, empty where they do not apply, and the node where there are several. A pod's cgroup path changes with every restart, so it is left out. */
function identityLabels(info: ContainerInfo): Labels {
  const pod = podName(info);
  return { namespace: info.namespace ?? '', pod: pod ?? '', container: containerName(info), cgroup: pod === null ? info.cgroup ?? '' : '', ...(info.node !== undefined && { node: info.node }) };
}

function addMetric<Row>(families: Families, metric: RowMetric<Row>, row: Row, labels: Labels): void {
  if (metric.kind === 'value') {
    const value = metric.value(row);
    if (value !== null) families.gauge(metric.name, metric.help).add(labels, value);
  } else if (metric.kind === 'byName') {
    for (const [name, value] of Object.entries(metric.values(row) ?? {})) families.gauge(metric.name, metric.help).add({ ...labels, [metric.label]: name }, value);
  } else {
    const latency = metric.latency(row);
    if (latency !== null && latency.count > 0) families.histogram(metric.name, metric.help).add(labels, latency);
  }
}

function addRows(families: Families, pane: AnyPane, rows: readonly AnyRow[], context: RowContext): void {
  const columns = pane.columns.filter((column) => column.metric !== undefined);
  for (const row of rows) {
    const labels = { ...identityLabels(context.container(row.container)), ...pane.labels?.(row) };
    for (const column of columns) {
      const value = column.value(row, context);
      if (!column.metric || typeof value !== 'number') continue;
      const { name, divisor = 1, combine } = column.metric;
      families.gauge(name, column.help, combine).add(labels, value / divisor);
    }
    for (const metric of pane.metrics ?? []) addMetric(families, metric, row, labels);
  }
}

const LOSSES = {
  lostRing: 'ring_full', lostMap: 'map_full', lostFault: 'fault', overBudget: 'over_budget', unattributed: 'unattributed',
} as const satisfies Partial<Record<keyof Loss, string>>;

function addPane(families: Families, frame: Frame, id: PaneId, context: RowContext): void {
  const pane = frame.panes[id];
  const def = paneDef(id);
  families.gauge('kbtop_pane_up', '1 when the pane could be measured').add({ pane: id }, pane.state.status === 'ok' ? 1 : 0);
  if (pane.state.status !== 'ok') return;
  families.gauge('kbtop_pane_events_seen', 'Events of the pane in the interval, kept or lost').add({ pane: id }, pane.loss.seen);
  families.gauge('kbtop_pane_events_kept', 'Events of the pane in the interval that its numbers are made of').add({ pane: id }, pane.loss.kept);
  for (const [key, cause] of Object.entries(LOSSES)) {
    families.gauge('kbtop_pane_events_lost', 'Events of the pane in the interval that are missing or incomplete, by cause').add({ pane: id, cause }, pane.loss[key as keyof typeof LOSSES]);
  }
  const sampled = rowsOf(frame, id).reduce((most, row) => Math.max(most, 'latency' in row ? row.latency?.sampled ?? 0 : 0), 0);
  if (sampled > 0) families.gauge('kbtop_pane_sampled_one_in', 'One event in so many was timed: counts of the latency histograms are lower by that factor').add({ pane: id }, sampled);
  if (def.kind === 'table') addRows(families, def, rowsOf(frame, id), context);
  if (!('totals' in pane)) return;
  for (const total of pane.totals) {
    for (const metric of def.totalMetrics ?? []) addMetric(families, metric, total, identityLabels(context.container(total.container)));
  }
}

/** @param panes those that were asked for; the others are not mentioned */
export function openMetrics(frame: Frame, panes: readonly PaneId[] = PANE_IDS): string {
  const families = new Families();
  const { node, self } = frame;
  families.gauge('kbtop_node_info', 'The node').add({ node: node.name, kernel: node.kernel, arch: node.arch, cgroup_mode: node.cgroupMode }, 1);
  families.gauge('kbtop_node_cpus', 'CPUs of the node').add({}, node.cpus);
  families.gauge('kbtop_interval_seconds', 'Length of the interval that all numbers are about').add({}, frame.intervalMs / 1000);
  families.gauge('kbtop_interval_end_timestamp_seconds', 'End of the interval, Unix time').add({}, Date.parse(frame.time) / 1000);
  if (self.cpuPct !== null) families.gauge('kbtop_self_cpu_cores', 'CPU time of kbtop itself; 1 is one CPU').add({}, self.cpuPct / 100);
  if (self.bpfCpuPct !== null) families.gauge('kbtop_self_bpf_cpu_cores', 'CPU time in the BPF programs of kbtop; 1 is one CPU').add({}, self.bpfCpuPct / 100);
  if (self.rssBytes !== null) families.gauge('kbtop_self_memory_bytes', 'Resident memory of kbtop itself').add({}, self.rssBytes);
  const context = contextOf(frame);
  for (const id of panes) addPane(families, frame, id, context);
  return families.text();
}
