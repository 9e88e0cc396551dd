/**
 * A strict parser of the part of OpenMetrics 1.0 text that kbtop writes: the oracle of the tests. Throws where the
 * grammar or a rule of the specification is broken.
 */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string | null;
  readonly samples: Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*/;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { gauge: [''], counter: ['_total'], info: ['_info'], histogram: ['_bucket', '_count', '_sum'] };

function unescape(text: string): string {
  return text.replace(/\\(.|$)/gs, (whole, c: string) => {
    const plain = { n: '\n', '\\': '\\', '"': '"' }[c];
    if (plain === undefined) throw new Error(`bad escape ${JSON.stringify(whole)}`);
    return plain;
  });
}

export function toNumber(text: string): number {
  if (!NUMBER.test(text)) throw new Error(`not a number: ${JSON.stringify(text)}`);
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

function parseSample(line: string): Sample {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw new Error(`no metric name: ${JSON.stringify(line)}`);
  let rest = line.slice(name.length);
  const labels: Record<string, string> = {};
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    for (;;) {
      const label = LABEL.exec(rest)?.[0];
      if (label === undefined) throw new Error(`no label name: ${JSON.stringify(rest)}`);
      const quoted = /^="((?:[^"\\]|\\.)*)"/s.exec(rest.slice(label.length));
      if (!quoted) throw new Error(`no label value: ${JSON.stringify(rest)}`);
      if (label in labels) throw new Error(`label ${label} twice`);
      labels[label] = unescape(quoted[1] ?? '');
      rest = rest.slice(label.length + quoted[0].length);
      if (rest.startsWith('}')) break;
      if (!rest.startsWith(',')) throw new Error(`expected , or }: ${JSON.stringify(rest)}`);
      rest = rest.slice(1);
    }
    rest = rest.slice(1);
  }
  if (!rest.startsWith(' ')) throw new Error(`no value: ${JSON.stringify(line)}`);
  return { name, labels, value: toNumber(rest.slice(1)) };
}

function checkHistogram(family: Family): void {
  const groups = Map.groupBy(family.samples, ({ labels }) => JSON.stringify({ ...labels, le: '' }));
  for (const samples of groups.values()) {
    const buckets = samples.filter((sample) => sample.name.endsWith('_bucket')).map(({ labels, value }) => [toNumber(labels['le'] ?? ''), value] as const);
    for (let i = 1; i < buckets.length; i++) {
      const [before, now] = [buckets[i - 1], buckets[i]];
      if (!before || !now || before[0] >= now[0] || before[1] > now[1]) throw new Error(`${family.name}: buckets do not rise`);
    }
    const last = buckets.at(-1);
    const count = samples.find((sample) => sample.name.endsWith('_count'));
    if (last?.[0] !== Infinity || last[1] !== count?.value) throw new Error(`${family.name}: no +Inf bucket that equals the count`);
    if (!samples.some((sample) => sample.name.endsWith('_sum'))) throw new Error(`${family.name}: no sum`);
  }
}

export function parseOpenMetrics(text: string): Map<string, Family> {
  if (!text.endsWith('# EOF\n')) throw new Error('does not end with # EOF');
  const families = new Map<string, { name: string; type: string; help: string; unit: string | null; samples: Sample[] }>();
  const seen = new Set<string>();
  let current: string | null = null;
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const meta = /^# (HELP|TYPE|UNIT) (\S+) (.*)$/s.exec(line);
    if (meta) {
      const [, kind, name = '', rest = ''] = meta;
      if (name !== current) {
        if (families.has(name)) throw new Error(`family ${name} is not in one piece`);
        families.set(name, { name, type: 'unknown', help: '', unit: null, samples: [] });
        current = name;
      }
      const family = families.get(name);
      if (!family || family.samples.length > 0) throw new Error(`${kind} of ${name} after its samples`);
      if (kind === 'HELP') family.help = unescape(rest);
      else if (kind === 'TYPE') family.type = rest;
      else {
        if (!name.endsWith(`_${rest}`)) throw new Error(`unit ${rest} is not the end of ${name}`);
        family.unit = rest;
      }
      continue;
    }
    const sample = parseSample(line);
    const family = current === null ? undefined : families.get(current);
    if (!family || !(SUFFIXES[family.type] ?? []).some((suffix) => sample.name === family.name + suffix)) throw new Error(`${sample.name} stands outside its family`);
    const series = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    if (seen.has(series)) throw new Error(`series twice: ${series}`);
    seen.add(series);
    family.samples.push(sample);
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}
