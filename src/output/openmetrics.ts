/**
 * A Frame as OpenMetrics 1.0 text. All numbers are about the Frame's interval, so they are gauges and histograms of
 * that interval, never counters; the text is valid in Prometheus' older format, too (node_exporter's textfile
 * collector). Rows with equal labels are put together: a series must not stand twice.
 */
import type { ContainerInfo, Frame, Latency, PaneId } from '../frame/frame.ts';
import { containerName, contextOf, podName } from '../frame/names.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
import { braced, familyHead, type Labels, labelText, numberText } from './exposition.ts';
import { LE_TEXT, LE_US, type MetricSink, boundOf, walkPane } from './frame-metrics.ts';

export { LE_US };

type Combine = 'sum' | 'max';

class Gauge {
  readonly #values = new Map<string, number>();
  readonly #combine: Combine;

  constructor(combine: Combine) {
    this.#combine = combine;
  }

  add(labels: string, value: number): void {
    const before = this.#values.get(labels);
    this.#values.set(labels, before === undefined ? value : this.#combine === 'sum' ? before + value : Math.max(before, value));
  }

  lines(name: string): string[] {
    return Array.from(this.#values, ([labels, value]) => `${name}${braced(labels)} ${numberText(value)}\n`);
  }
}

class Histogram {
  /** Per series: one count per bound and one for what lies above all, then the sum in microseconds. */
  readonly #series = new Map<string, { readonly counts: number[]; sumUs: number }>();

  add(labels: string, latency: Latency): void {
    let series = this.#series.get(labels);
    if (!series) this.#series.set(labels, series = { counts: Array.from(LE_TEXT, () => 0), sumUs: 0 });
    for (const [lowerUs, count] of latency.buckets) {
      const index = boundOf(lowerUs);
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
        return `${name}_bucket{${prefix}le="${LE_TEXT[i]}"} ${below}\n`;
      });
      lines.push(`${name}_count${braced(labels)} ${below}\n`, `${name}_sum${braced(labels)} ${numberText(sumUs / 1e6)}\n`);
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
      return lines.length === 0 ? '' : familyHead(name, of instanceof Gauge ? 'gauge' : 'histogram', help, 'openmetrics') + lines.join('');
    });
    return `${families.join('')}# EOF\n`;
  }
}

/** Who: the same four labels on every series, empty where they do not apply, and the node where there are several. A pod's cgroup path changes with every restart, so it is left out. */
function identityLabels(info: ContainerInfo): Labels {
  const pod = podName(info);
  return { namespace: info.namespace ?? '', pod: pod ?? '', container: containerName(info), cgroup: pod === null ? info.cgroup ?? '' : '', ...(info.node !== undefined && { node: info.node }) };
}

/** @param panes those that were asked for; the others are not mentioned */
export function openMetrics(frame: Frame, panes: readonly PaneId[] = PANE_IDS): string {
  const families = new Families();
  const { node, self } = frame;
  families.gauge('kbtop_node_info', 'The node').add(labelText({ node: node.name, kernel: node.kernel, arch: node.arch, cgroup_mode: node.cgroupMode }), 1);
  families.gauge('kbtop_node_cpus', 'CPUs of the node').add('', node.cpus);
  families.gauge('kbtop_interval_seconds', 'Length of the interval that all numbers are about').add('', frame.intervalMs / 1000);
  families.gauge('kbtop_interval_end_timestamp_seconds', 'End of the interval, Unix time').add('', Date.parse(frame.time) / 1000);
  if (self.cpuPct !== null) families.gauge('kbtop_self_cpu_cores', 'CPU time of kbtop itself; 1 is one CPU').add('', self.cpuPct / 100);
  if (self.bpfCpuPct !== null) families.gauge('kbtop_self_bpf_cpu_cores', 'CPU time in the BPF programs of kbtop; 1 is one CPU').add('', self.bpfCpuPct / 100);
  if (self.rssBytes !== null) families.gauge('kbtop_self_memory_bytes', 'Resident memory of kbtop itself').add('', self.rssBytes);
  const context = contextOf(frame);
  const who = new Map<string, string>();
  const labelsOf = (container: string | null, labels: string): string => {
    if (container === null) return labels;
    let identity = who.get(container);
    if (identity === undefined) who.set(container, identity = labelText(identityLabels(context.container(container))));
    return labels === '' ? identity : `${identity},${labels}`;
  };
  const sink: MetricSink = {
    number: ({ name, help, combine }, container, labels, value) => families.gauge(name, help, combine).add(labelsOf(container, labels), value),
    latency: ({ name, help }, container, labels, latency) => families.histogram(name, help).add(labelsOf(container, labels), latency),
  };
  for (const id of panes) walkPane(frame, id, sink);
  return families.text();
}
