/**
 * `npm run bench [-- name...]`: runs the benchmarks one after another, prints one table and keeps it in
 * bench/RESULTS.md with a description of the machine. Ratios come from one run, medians of interleaved pairs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchRow } from './bench.ts';

const FILES = ['syscalls', 'runqueue', 'streams', 'panes', 'ring', 'identity', 'chaos', 'tui', 'travel'] as const;
const here = dirname(fileURLToPath(import.meta.url));

const number = (n: number | null): string => (n === null ? '-' : Math.abs(n) >= 1000 ? Math.round(n).toLocaleString('en-US') : n.toPrecision(3));

function tableOf(rows: readonly BenchRow[]): string {
  const head = ['measured', 'kbtop', 'peer', 'ratio', 'aim', 'met', 'note'];
  const body = rows.map((row) => [
    row.name, number(row.ours), number(row.peer), number(row.ratio), row.aim, row.met === undefined || row.met === null ? '?' : row.met ? 'yes' : 'NO', row.note.replaceAll('|', '\\|'),
  ]);
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function machine(): string {
  const cpu = cpus();
  const os = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  return `${os}, Linux ${release()}, ${cpu.length} x ${cpu[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !FILES.some((file) => file === name));
if (unknown.length > 0) {
  console.error(`bench: no such benchmark: ${unknown.join(', ')}; there are ${FILES.join(', ')}`);
  process.exit(2);
}

const rows: BenchRow[] = [];
let failed = false;
for (const file of FILES.filter((name) => asked.length === 0 || asked.includes(name))) {
  console.error(`bench: ${file} ...`);
  try {
    const bench = (await import(`./${file}.ts`)) as Bench;
    rows.push(...(await bench.run()));
  } catch (error) {
    failed = true;
    rows.push({ name: file, ours: null, peer: null, ratio: null, aim: '', met: null, note: `failed: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}` });
  }
}

const table = tableOf(rows);
console.log(table);
if (asked.length === 0) {
  writeFileSync(join(here, 'RESULTS.md'), `# Benchmark results

Made by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${machine()}.

A ratio compares kbtop with the named peer in the same run (medians of interleaved pairs); lower is better
unless the aim says otherwise. "NO" means that the aim was missed.

${table}
`);
}
process.exit(failed ? 1 : 0);
