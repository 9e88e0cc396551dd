/** `--metrics` and `--metrics-max-series`: what `serve` takes for its endpoint. */
import { isIP } from 'node:net';
import { type Command, Option } from 'commander';
import type { FrameSource } from '../frame/source.ts';
import type { ListenAddress, MetricsEndpoint } from '../session/metrics/index.ts';
import { usageError } from './errors.ts';
import { version } from './version.ts';

/** Fewer could not tell the system calls of one container apart; more are more than a Prometheus should be sent. */
const SERIES_LIMITS = { min: 100, max: 1_000_000 };

/** As commander gives them. */
export interface MetricsFlags {
  readonly metrics?: ListenAddress;
  readonly metricsMaxSeries?: number;
}

/** "127.0.0.1:9435", "[::1]:0", ":9435" and "9435", the last two on loopback. @throws KbtopError */
export function parseMetricsAddress(text: string): ListenAddress {
  const wrong = (why: string): Error => usageError(`--metrics "${text}" ${why}; write ADDRESS:PORT, such as 127.0.0.1:9435 or [::1]:9435, or :9435 for loopback`);
  const match = /^(?:(?:\[([^\]]*)\]|([^:]*)):)?(\d+)$/.exec(text.trim());
  if (!match) throw wrong('is no address with a port');
  const [, six, four = '', digits = ''] = match;
  const port = Number(digits);
  if (port > 65_535) throw wrong(`has a port above 65535`);
  if (six !== undefined) {
    if (isIP(six) !== 6) throw wrong(`has no IPv6 address between [ and ]`);
    return { host: six, port };
  }
  if (four === '' || four.toLowerCase() === 'localhost') return { host: '127.0.0.1', port };
  // A name may mean another address tomorrow: who listens where is written out.
  if (isIP(four) !== 4) throw wrong(`needs an IP address, not a name`);
  return { host: four, port };
}

function parseMaxSeries(text: string): number {
  const value = Number(text);
  const { min, max } = SERIES_LIMITS;
  if (!/^\d+$/.test(text) || value < min || value > max) throw usageError(`--metrics-max-series "${text}" is not a whole number from ${min} to ${max}`);
  return value;
}

export function addMetricsFlags(command: Command): Command {
  return command
    .addOption(new Option('--metrics <address>', 'offer OpenMetrics on ADDRESS:PORT at /metrics; :PORT listens on 127.0.0.1 only').argParser(parseMetricsAddress))
    .addOption(new Option('--metrics-max-series <n>', 'series per metric at the most, each bucket being one (default: 10000); what is over counts as container="_other"').argParser(parseMaxSeries));
}

/** Start what the flags ask for; null when they ask for nothing. @throws Error with one line for the user */
export async function serveMetrics(source: FrameSource, { metrics, metricsMaxSeries }: MetricsFlags, debug: ((text: string) => void) | null): Promise<MetricsEndpoint | null> {
  if (!metrics) return null;
  // Loaded only where it is asked for.
  const { startMetrics } = await import('../session/metrics/index.ts');
  return startMetrics(source, metrics, { version: version(), ...(metricsMaxSeries !== undefined && { maxSeries: metricsMaxSeries }), ...(debug && { debug }) });
}
