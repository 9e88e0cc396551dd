/** `serve --metrics`: Frames of any source, added up and offered to Prometheus. */
import type { FrameSource } from '../../frame/source.ts';
import { Accumulator } from './accumulator.ts';
import { Page } from './page.ts';
import { Endpoint, LIMITS, type Limits, type ListenAddress, addressText } from './server.ts';

export type { ListenAddress };

export const DEFAULT_MAX_SERIES = 10_000;
/** A rollout or a crash loop brings a container back in less; Prometheus itself forgets a series after five minutes. */
const KEEP_MS = 5 * 60_000;
/** Without a Frame for so long, or for so many intervals, the capture stands still. */
const STALE_MS = 60_000;
const STALE_INTERVALS = 5;

export interface MetricsOptions {
  /** Version of the program, for kbtop_build_info. */
  readonly version: string;
  /** Series of one family at the most, every bucket of a histogram being one. */
  readonly maxSeries?: number;
  /** For so long the series of containers that have ended stay, milliseconds. Default: five minutes. */
  readonly keepMs?: number;
  /** Least time without a Frame after which scrapes fail, milliseconds. Default: a minute. */
  readonly staleMs?: number;
  readonly limits?: Partial<Limits>;
  readonly debug?: (text: string) => void;
}

export interface MetricsEndpoint {
  /** Where it listens really. */
  readonly address: ListenAddress;
  /** "http://127.0.0.1:9435/metrics". */
  readonly url: string;
  /** Stop listening and let go of the source, which stays open; twice is fine. */
  close(): Promise<void>;
}

/** Why scrapes are of no use now; null when they are. */
class Liveness {
  readonly #staleMs: number;
  #heardAt: number | null = null;
  #patienceMs = 0;
  #ended: string | null = null;

  constructor(staleMs: number) {
    this.#staleMs = staleMs;
  }

  heard(intervalMs: number): void {
    this.#heardAt = performance.now();
    this.#patienceMs = Math.max(this.#staleMs, STALE_INTERVALS * intervalMs);
  }

  ended(why: string): void {
    this.#ended = why;
  }

  /** Numbers that stand still look like a quiet node: a scrape that fails is the honest answer. */
  trouble(): string | null {
    if (this.#ended !== null) return this.#ended;
    if (this.#heardAt === null) return 'no Frame yet';
    const silentMs = performance.now() - this.#heardAt;
    return silentMs > this.#patienceMs ? `no Frame for ${Math.round(silentMs / 1000)} s: the capture stands still` : null;
  }
}

/**
 * Offer a source's Frames as metrics.
 * @throws Error when it cannot listen: one line for the user, with the system's code
 */
export async function startMetrics(source: FrameSource, address: ListenAddress, options: MetricsOptions): Promise<MetricsEndpoint> {
  const { version, maxSeries = DEFAULT_MAX_SERIES, keepMs = KEEP_MS, staleMs = STALE_MS, limits, debug = () => {} } = options;
  const sums = new Accumulator({ version, maxSeries, keepMs });
  const liveness = new Liveness(staleMs);
  const page = new Page((format) => sums.text(format));
  const endpoint = new Endpoint({ page, trouble: () => liveness.trouble(), scraped: () => { sums.cost.scrapes++; }, debug }, { ...LIMITS, ...limits });
  const bound = await endpoint.listen(address);
  const unsubscribe = source.subscribe((frame) => {
    sums.add(frame);
    page.renew();
    liveness.heard(frame.intervalMs);
  });
  source.done.then(() => liveness.ended('the capture has ended'), () => liveness.ended('the capture has failed'));
  return {
    address: bound, url: `http://${addressText(bound)}/metrics`,
    close: async () => {
      unsubscribe();
      await endpoint.close();
    },
  };
}
