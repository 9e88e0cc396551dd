/**
 * Pictures of the real program on a real workload, as PNG files beside this script.
 *
 *   npm run screenshots [-- [--out DIR] [--svg] [NAME...]]
 *
 * NAME picks scenarios by their start; --svg keeps the SVG as well. Needs root, as kbtop does.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { toPng } from './png.ts';
import { Program } from './program.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Scenario, Step } from './scenarios.ts';
import { toSvg } from './svg.ts';
import { Workload } from './workload.ts';

const root = dirname(import.meta.dirname);

async function perform(program: Program, step: Step): Promise<void> {
  if ('keys' in step) program.keys(step.keys);
  else if ('waitFor' in step) await program.waitFor(step.waitFor, step.timeoutMs);
  else await sleep(step.collectMs);
}

/** Run one scenario to its end; returns the screen as SVG. @param flags for kbtop besides the scenario's own */
export async function shoot(scenario: Scenario, flags: readonly string[] = []): Promise<string> {
  const { command = ['bin/kbtop'], cols, rows, env = {} } = scenario;
  const program = new Program([...command, ...flags], { cols, rows, env, cwd: root });
  try {
    for (const step of scenario.steps) await perform(program, step);
    return toSvg(program.terminal);
  } finally {
    await program.close();
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: { out: { type: 'string' }, svg: { type: 'boolean' } }, allowPositionals: true });
  const out = resolve(values.out ?? import.meta.dirname);
  const wanted = SCENARIOS.filter(({ name }) => positionals.length === 0 || positionals.some((start) => name.startsWith(start)));
  if (wanted.length === 0) {
    console.error(`no scenario starts with ${positionals.join(' or ')}; there are: ${SCENARIOS.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  mkdirSync(out, { recursive: true });
  const workload = new Workload();
  const interrupted = (): void => void workload.stop().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  let failed = 0;
  try {
    if (wanted.some((scenario) => scenario.workload)) await workload.start();
    for (const scenario of wanted) {
      try {
        const svg = await shoot(scenario, scenario.workload ? workload.flags : []);
        const png = toPng(svg, scenario.scale);
        if (values.svg === true) writeFileSync(join(out, `${scenario.name}.svg`), svg);
        writeFileSync(join(out, `${scenario.name}.png`), png);
        console.log(`${scenario.name}.png  ${scenario.cols}x${scenario.rows}  ${Math.round(png.length / 1024)} KiB`);
      } catch (error) {
        failed += 1;
        console.error(`${scenario.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  } finally {
    await workload.stop();
  }
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
