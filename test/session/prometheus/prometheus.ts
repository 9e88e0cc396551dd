/** A Prometheus of the test's own, on loopback, with its own data; no service, nothing that stays. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findCommand } from '../../../tools/lib/needs.mjs';
import { timeScale } from '../../workloads/scale.ts';

export const hasPrometheus = findCommand('prometheus') !== null && findCommand('promtool') !== null;

export interface Result {
  readonly metric: Readonly<Record<string, string>>;
  /** Of an instant vector. */
  readonly value?: readonly [time: number, value: string];
  /** Of a range. */
  readonly values?: readonly (readonly [time: number, value: string])[];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export class Prometheus {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #base: string;
  #log = '';

  private constructor(child: ChildProcess, dir: string, base: string) {
    this.#child = child;
    this.#dir = dir;
    this.#base = base;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { this.#log += text; });
  }

  /** @param config YAML; scrapes should be about a second apart */
  static async start(config: string): Promise<Prometheus> {
    const dir = mkdtempSync(join(tmpdir(), 'kbtop-prometheus-'));
    writeFileSync(join(dir, 'prometheus.yml'), config);
    const port = await freePort();
    const child = spawn('prometheus', [`--config.file=${join(dir, 'prometheus.yml')}`, `--storage.tsdb.path=${join(dir, 'data')}`, `--web.listen-address=127.0.0.1:${port}`], { stdio: ['ignore', 'ignore', 'pipe'] });
    const one = new Prometheus(child, dir, `http://127.0.0.1:${port}`);
    await one.until('Prometheus to be ready', async () => (await fetch(`${one.#base}/-/ready`)).ok);
    return one;
  }

  /** Try until it is true; fails when Prometheus ends, or after half a minute. What cannot be asked yet is not true. */
  async until(what: string, probe: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 30_000 * timeScale;
    for (;;) {
      if (this.#child.exitCode !== null) throw new Error(`Prometheus has ended: ${this.#log.slice(-2000)}`);
      if (await probe().catch(() => false)) return;
      if (performance.now() > deadline) throw new Error(`timed out waiting for ${what}: ${this.#log.slice(-2000)}`);
      await sleep(200);
    }
  }

  /** What an expression of PromQL gives now. */
  async query(expression: string, time?: number): Promise<readonly Result[]> {
    const response = await fetch(`${this.#base}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query: expression, ...(time !== undefined && { time: String(time) }) }) });
    const { status, data, error } = (await response.json()) as { status: string; data?: { result: readonly Result[] }; error?: string };
    if (status !== 'success' || !data) throw new Error(`${expression}: ${error ?? status}`);
    return data.result;
  }

  /** The one number that an expression gives; null when it gives none. */
  async number(expression: string, time?: number): Promise<number | null> {
    const result = await this.query(expression, time);
    if (result.length > 1) throw new Error(`${expression} gives ${result.length} series`);
    return result[0]?.value === undefined ? null : Number(result[0].value[1]);
  }

  /** What its log says of scrapes that it did not like. */
  get complaints(): readonly string[] {
    return this.#log.split('\n').filter((line) => /level=(warn|error)/.test(line));
  }

  /** What it says of its targets' last scrapes: empty when all went well. */
  async scrapeErrors(): Promise<readonly string[]> {
    const { data } = (await (await fetch(`${this.#base}/api/v1/targets`)).json()) as { data: { activeTargets: readonly { lastError: string }[] } };
    return data.activeTargets.map(({ lastError }) => lastError).filter((text) => text !== '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    if (this.#child.exitCode === null) {
      this.#child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** A configuration that scrapes one target as a monitor of a cluster would. */
export const scrapeConfig = (target: string, labels: Readonly<Record<string, string>> = {}): string => JSON.stringify({
  global: { scrape_interval: '1s', scrape_timeout: '1s' },
  scrape_configs: [{ job_name: 'kbtop', honor_labels: true, static_configs: [{ targets: [target], labels }] }],
});
