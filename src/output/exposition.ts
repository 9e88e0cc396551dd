/** The grammar that OpenMetrics 1.0 and Prometheus' older text format share: labels, numbers, the lines above a family. */

export type Labels = Readonly<Record<string, string>>;
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'info';
export type TextFormat = 'openmetrics' | 'prometheus';

export const CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
};

const UNITS = ['seconds', 'bytes', 'ratio'];
const SPECIAL = /[\\"\n\0]/;

/** Backslash, quote and newline as the format wants them. A NUL would end the text for some readers. */
export function escapeLabel(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\0', '\uFFFD');
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', "'");

export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}

/** Bounds of buckets are written as floats: "1.0". */
export const boundText = (seconds: number): string => (Number.isInteger(seconds) ? seconds.toFixed(1) : String(seconds));

/** `a="b",c="d"` */
export function labelText(labels: Labels): string {
  let text = '';
  for (const name in labels) text += `${text === '' ? '' : ','}${name}="${escapeLabel(labels[name] ?? '')}"`;
  return text;
}

export const braced = (labels: string): string => (labels === '' ? '' : `{${labels}}`);

/** The name that samples carry, given the family's as OpenMetrics has it. Histograms add to theirs. */
export const sampleName = (name: string, type: MetricType): string => (type === 'counter' ? `${name}_total` : type === 'info' ? `${name}_info` : name);

/**
 * HELP, TYPE and UNIT. The older format knows neither units nor infos, and calls a family as it calls its samples.
 * @param name without _total and _info
 */
export function familyHead(name: string, type: MetricType, help: string, format: TextFormat): string {
  if (format === 'prometheus') {
    const full = sampleName(name, type);
    return `# HELP ${full} ${escapeHelp(help)}\n# TYPE ${full} ${type === 'info' ? 'gauge' : type}\n`;
  }
  const unit = UNITS.find((suffix) => name.endsWith(`_${suffix}`));
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${unit === undefined ? '' : `# UNIT ${name} ${unit}\n`}`;
}
