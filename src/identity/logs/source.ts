/** Names from /var/log/containers and /var/log/pods: the whole mapping, without socket or credentials, a little late. */
import { BoundedFiles } from '../files/bounded-files.ts';
import { Announcer } from '../files/announcer.ts';
import { HostPath } from '../host-path.ts';
import type { SourceOptions } from '../options.ts';
import type { Changed, Names, NameSource, SourceState, Subject } from '../source.ts';
import { LogDirectory } from './log-directory.ts';
import { type ContainerLog, parseContainerLog, parsePodLogs, type PodLogs } from './names.ts';
import { describeLogs } from './state.ts';

/** Accesses under way at once; see BoundedFiles. */
const CONCURRENCY = 1;
/** Between two looks, milliseconds: at the least, while something is missing, and at rest. */
const LEAST_PAUSE_MS = 250;
const MISSING_PAUSE_MS = 5_000;
const REST_PAUSE_MS = 60_000;
/** How long something unknown is waited for: the kubelet makes the link when the container runs. */
const MISSING_MS = 60_000;
const MAX_MISSING = 10_000;

class LogsSource implements NameSource {
  readonly id = 'logs';
  readonly #files: BoundedFiles;
  readonly #containers: LogDirectory<ContainerLog>;
  readonly #pods: LogDirectory<PodLogs>;
  readonly #announcer: Announcer;
  /** Container id or pod uid that was noticed and is unknown -> until when it is waited for. */
  readonly #missing = new Map<string, number>();
  #started: Promise<void> | null = null;
  #reading = false;
  /** Something was noticed while a look was under way: it may have passed it by. */
  #eager = false;
  #ready = false;
  #closed = false;
  #readAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #dueAt = Number.POSITIVE_INFINITY;

  constructor({ hostRoot }: SourceOptions, files: BoundedFiles) {
    this.#files = files;
    const host = new HostPath(hostRoot);
    this.#announcer = new Announcer(() => this.#reading);
    const learned = (id: string): void => {
      this.#missing.delete(id);
      this.#announcer.add(id);
    };
    this.#containers = new LogDirectory({ files, host, path: '/var/log/containers', parse: parseContainerLog, idOf: ({ containerId }) => containerId, learned });
    this.#pods = new LogDirectory({ files, host, path: '/var/log/pods', parse: parsePodLogs, idOf: ({ podUid }) => podUid, learned });
  }

  get state(): SourceState {
    return describeLogs({ ready: this.#ready, directories: [this.#containers, this.#pods], hung: this.#files.hung.length > 0 });
  }

  onChange(changed: Changed): void {
    this.#announcer.onChange(changed);
  }

  start(): Promise<void> {
    this.#started ??= this.#read().then(() => this.#announcer.flush());
    return this.#started;
  }

  lookup({ podUid, containerId }: Subject): Names | null {
    const pod = podUid === null ? null : this.#pods.get(podUid);
    const container = containerId === null ? null : this.#containers.get(containerId);
    if (container) return { kind: 'pod', namespace: container.namespace, pod: container.pod, container: container.container, ...(pod && { podUid: pod.podUid }) };
    return pod && { namespace: pod.namespace, pod: pod.pod, podUid: pod.podUid };
  }

  notice({ podUid, containerId }: Subject): void {
    if (this.#closed) return;
    // What is no pod's has no log here.
    if (podUid === null) return;
    const known = containerId === null ? this.#pods.get(podUid) : this.#containers.get(containerId);
    if (known !== null || this.#missing.size >= MAX_MISSING) return;
    this.#missing.set(containerId ?? podUid, performance.now() + MISSING_MS);
    if (this.#reading) this.#eager = true;
    else if (this.#ready) this.#plan(LEAST_PAUSE_MS);
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    this.#reading = true;
    await Promise.all([this.#containers.read(), this.#pods.read()]);
    this.#reading = false;
    this.#ready = true;
    this.#readAt = performance.now();
    for (const [id, until] of this.#missing) if (until < this.#readAt || this.#containers.get(id) !== null || this.#pods.get(id) !== null) this.#missing.delete(id);
    const waiting = this.#missing.size > 0 || this.#containers.code !== null || this.#pods.code !== null;
    this.#plan(this.#eager && this.#missing.size > 0 ? LEAST_PAUSE_MS : waiting ? MISSING_PAUSE_MS : REST_PAUSE_MS);
    this.#eager = false;
  }

  /** Look again when the last look is this long ago, unless that is planned for earlier. */
  #plan(pauseMs: number): void {
    const dueAt = this.#readAt + pauseMs;
    if (this.#closed || this.#reading || (this.#timer && this.#dueAt <= dueAt)) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#read();
    }, Math.max(0, dueAt - performance.now())).unref();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#announcer.close();
    this.#containers.close();
    this.#pods.close();
    this.#files.close();
  }
}

/** Names from the kubelet's log files below the host's root. @param files how to read, for tests */
export function createLogsSource(options: SourceOptions, files: BoundedFiles = new BoundedFiles({ concurrency: CONCURRENCY })): NameSource {
  return new LogsSource(options, files);
}
