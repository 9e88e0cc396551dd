/** What a run gave, and how it is told. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closingLine, tally } from '../../../tools/lib/tally.mjs';
import type { Outcome } from './qemu.ts';

export interface Counts { readonly passed: number; readonly failed: number; readonly skipped: number }

export interface Result {
  /** Of the kernel, or "host". */
  readonly id: string;
  /** One line. */
  readonly summary: string;
  /** "skipped: …" and "FAILED: …", by name. */
  readonly lines: readonly string[];
  readonly counts: Counts;
}

/** A whole kernel counts as one when none of its tests could run. */
export function notRun(id: string, why: string): Result {
  return { id, summary: `not run: ${why}`, lines: [`skipped: ${id} (${why})`], counts: { passed: 0, failed: 0, skipped: 1 } };
}

export function failed(id: string, why: string): Result {
  return { id, summary: why, lines: [`FAILED: ${id} > ${why}`], counts: { passed: 0, failed: 1, skipped: 0 } };
}

/** What tools/lib/tally-reporter.mjs left in a directory; null when vitest did not get that far. */
export function tallyIn(directory: string): object | null {
  try {
    return JSON.parse(readFileSync(join(directory, 'tally.json'), 'utf8')) as object;
  } catch {
    return null;
  }
}

/**
 * Of a run of vitest that came to its end.
 * @param complaints of the kernel it ran on: one that is broken proves nothing
 */
export function tested(id: string, run: object | null, code: number | null, how: string, complaints: readonly string[] = []): Result {
  const broken = complaints.filter((line) => /Oops|BUG: |general protection/.test(line) && !line.includes('soft lockup'));
  const { lines, counts } = tally(broken.map((line) => ({ name: `the kernel: ${line}`, ok: false })), run, code);
  return { id, summary: `${closingLine(counts)} ${how}`, lines: lines.map((line) => line.replace(/^(\w+): /, `$1: ${id} > `)), counts };
}

/** Of a guest. @param run undefined when it ran no test but a command @param origin where its kernel came from */
export function judged(id: string, outcome: Outcome, run: object | null | undefined, origin: string): Result {
  const { how, code, bootSeconds, seconds, complaints } = outcome;
  const went = `(${origin}; boot ${bootSeconds === null ? 'not finished' : `${bootSeconds.toFixed(1)} s`}, in all ${seconds.toFixed(0)} s)`;
  if (how === 'timeout') return failed(id, `the guest hung and was ended ${went}`);
  if (how === 'died') return failed(id, `the guest went down before its end; its console is above ${went}`);
  if (run !== undefined) return tested(id, run, code, went, complaints);
  return code === 0 ? { id, summary: `done ${went}`, lines: [], counts: { passed: 1, failed: 0, skipped: 0 } } : failed(id, `the command ended with code ${code} ${went}`);
}

/** All lines to close with; the last one is the count. */
export function report(results: readonly Result[]): { readonly lines: readonly string[]; readonly ok: boolean } {
  const sum = (what: keyof Counts): number => results.reduce((total, { counts }) => total + counts[what], 0);
  const total = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
  return {
    lines: [...results.flatMap(({ lines }) => lines), ...results.map(({ id, summary }) => `${id}: ${summary}`), closingLine(total)],
    ok: total.failed === 0,
  };
}
