/** What the CRI source's tests share. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach } from 'vitest';
import type { Tuning } from '../../../src/identity/cri/tuning.ts';
import { createCriSource } from '../../../src/identity/cri/source.ts';
import type { SourceOptions } from '../../../src/identity/options.ts';
import type { NameSource } from '../../../src/identity/source.ts';

/** Short pauses; the machine may be slow to answer. */
const QUICK: Partial<Tuning> = { startMs: 10_000, callMs: 5_000, listMs: 5_000, refreshMs: 60_000, pauseMs: 5, askMs: 10, giveUpMs: 400, retryMs: 20, longestRetryMs: 100 };
/** For a runtime that does not answer. */
export const IMPATIENT: Partial<Tuning> = { callMs: 200, listMs: 200 };

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Done after the test, last first. */
export const after = (step: () => unknown): void => void undo.push(step);

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kbtop-cri-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const options = (over: Partial<SourceOptions> = {}): SourceOptions => ({ hostRoot: '/', runtimeEndpoint: null, kubeconfig: null, context: null, nodeName: 'node1', debug: () => {}, ...over });

/** A source under test, closed afterwards. `told` collects what it says it has learned, one entry a call. */
export function criSource(endpoint: string | null, { tuning = {}, env = {}, ...over }: Partial<SourceOptions> & { readonly tuning?: Partial<Tuning>; readonly env?: NodeJS.ProcessEnv } = {}): { readonly source: NameSource; readonly told: string[][] } {
  const source = createCriSource(options({ runtimeEndpoint: endpoint, ...over }), env, { ...QUICK, ...tuning });
  const told: string[][] = [];
  source.onChange((ids) => told.push([...(ids ?? ['everything'])]));
  after(() => source.close());
  return { source, told };
}

/** Wait until something holds; fails after five seconds. */
export async function until(holds: () => boolean, what = 'it to hold'): Promise<void> {
  const end = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await sleep(2);
  }
}
