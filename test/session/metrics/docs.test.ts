/** docs/metrics.md: its list of metrics is what the endpoint says, its configuration and rules are what Prometheus takes. Renew with KBTOP_WRITE_DOCS=1. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Accumulator } from '../../../src/session/metrics/accumulator.ts';
import { FRAME } from '../../output/frames.ts';
import { type Family, parseOpenMetrics } from '../../output/openmetrics-parser.ts';

const PATH = join(import.meta.dirname, '../../../docs/metrics.md');
const BEGIN = '<!-- metrics: written by test/session/metrics/docs.test.ts -->\n';
const END = '<!-- /metrics -->';
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

/** A limit so low that even what tells of the limit is there. */
function families(): readonly Family[] {
  const sums = new Accumulator({ version: '1', maxSeries: 20, keepMs: Infinity });
  const { containers } = FRAME.panes;
  const rows = Array.from({ length: 30 }, (_, i) => ({ ...containers.rows[1]!, container: `c${i}` }));
  const keys = Object.fromEntries(rows.map(({ container }, i) => [container, { ...FRAME.containers['web']!, pod: `p${i}` }]));
  sums.add({ ...FRAME, containers: { ...FRAME.containers, ...keys }, panes: { ...FRAME.panes, containers: { ...containers, rows: [...containers.rows, ...rows] } } });
  return [...parseOpenMetrics(sums.text('openmetrics')).values()];
}

function reference(): string {
  const lines = families().map(({ name, type, help, samples }) => {
    const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)).filter((label) => label !== 'le'));
    return `| \`${name}\` | ${type} | ${[...labels].map((label) => `\`${label}\``).join(', ')} | ${help.replaceAll('|', '\\|')} |`;
  });
  return ['| metric | type | labels | |', '|---|---|---|---|', ...lines].map((line) => `${line}\n`).join('');
}

const text = (): string => readFileSync(PATH, 'utf8');
/** YAML blocks that hold this. */
const block = (has: string): string => [...text().matchAll(/```yaml\n([^]*?)```/g)].map(([, yaml = '']) => yaml).find((yaml) => yaml.includes(has)) ?? '';

function promtool(args: readonly string[], yaml: string): { readonly status: number | null; readonly output: string } {
  const dir = mkdtempSync(join(tmpdir(), 'kbtop-docs-'));
  const file = join(dir, 'file.yml');
  writeFileSync(file, yaml);
  const { status, stdout, stderr } = spawnSync('promtool', [...args, file], { encoding: 'utf8' });
  rmSync(dir, { recursive: true });
  return { status, output: stdout + stderr };
}

describe('docs/metrics.md', () => {
  it('lists every metric with its type, labels and help', () => {
    const [before = '', rest = ''] = text().split(BEGIN);
    const [, after = ''] = rest.split(END);
    const wanted = before + BEGIN + reference() + END + after;
    if (process.env['KBTOP_WRITE_DOCS'] === '1') writeFileSync(PATH, wanted);
    expect(text() === wanted, 'it is stale: run KBTOP_WRITE_DOCS=1 npx vitest run test/session/metrics/docs.test.ts').toBe(true);
  });

  it('has alerts that name only metrics and labels that there are', () => {
    const known = families();
    const { groups } = parse(block('groups:')) as { groups: readonly { rules: readonly { expr: string }[] }[] };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules).toHaveLength(3);
    for (const { expr } of rules) {
      for (const [, name = '', selector = ''] of expr.matchAll(/\b(kbtop_\w+)(?:\{([^}]*)\})?/g)) {
        const family = known.find((one) => one.samples.some((sample) => sample.name === name));
        expect(family, name).toBeDefined();
        const labels = new Set(family?.samples.flatMap((sample) => Object.keys(sample.labels)));
        for (const [label = ''] of selector.matchAll(/\w+(?=[=!]~?")/g)) expect(labels).toContain(label);
      }
    }
  });

  it('has YAML that can be read', () => {
    for (const [, yaml = ''] of text().matchAll(/```yaml\n([^]*?)```/g)) expect(parse(yaml)).toBeTypeOf('object');
  });

  it.skipIf(!hasPromtool)('has rules and a configuration that promtool accepts (needs promtool)', () => {
    const rules = promtool(['check', 'rules'], block('groups:'));
    expect(rules).toMatchObject({ status: 0, output: expect.stringContaining('SUCCESS: 3 rules found') as string });
    expect(promtool(['check', 'config'], block('scrape_configs:')).status).toBe(0);
    // And it would refuse others.
    expect(promtool(['check', 'rules'], block('groups:').replace('rate(', 'rat(')).status).not.toBe(0);
  });
});
