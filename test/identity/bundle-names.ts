/** The simplest source of names that can work: looks into containerd's bundles all the time and never forgets. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Changed, Names, NameSource, SourceState, Subject } from '../../src/identity/source.ts';

const BUNDLES = 'run/containerd/io.containerd.runtime.v2.task/k8s.io';
const POLL_MS = 10;

interface Bundle {
  readonly annotations?: Readonly<Record<string, string>>;
}

export class BundleNames implements NameSource {
  readonly id = 'oci';
  state: SourceState = { status: 'starting', reason: 'not looked yet', fix: null };
  readonly #directory: string;
  readonly #names = new Map<string, Names>();
  #changed: Changed = () => {};
  #timer: NodeJS.Timeout | null = null;

  /** @param hostRoot what stands for the host's / */
  constructor(hostRoot: string) {
    this.#directory = join(hostRoot, BUNDLES);
  }

  onChange(changed: Changed): void {
    this.#changed = changed;
  }

  start(): Promise<void> {
    this.#look();
    this.#timer = setInterval(() => this.#look(), POLL_MS);
    return Promise.resolve();
  }

  lookup({ podUid, containerId }: Subject): Names | null {
    return this.#names.get(containerId ?? podUid ?? '') ?? null;
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  #look(): void {
    try {
      for (const id of readdirSync(this.#directory)) if (!this.#names.has(id)) this.#read(id);
      this.state = { status: 'ok', reason: this.#directory, fix: null };
    } catch {
      this.state = { status: 'absent', reason: `no ${this.#directory}`, fix: null };
    }
  }

  #read(id: string): void {
    let annotations: Readonly<Record<string, string>> = {};
    try {
      annotations = (JSON.parse(readFileSync(join(this.#directory, id, 'config.json'), 'utf8')) as Bundle).annotations ?? {};
    } catch {
      return; // not written yet, or gone
    }
    const of = (key: string): string => annotations[`io.kubernetes.cri.${key}`] ?? '';
    const pod: Names = { namespace: of('sandbox-namespace'), pod: of('sandbox-name'), podUid: of('sandbox-uid') };
    this.#names.set(of('sandbox-uid'), pod);
    this.#names.set(id, of('container-type') === 'sandbox' ? { ...pod, kind: 'sandbox' } : { ...pod, container: of('container-name') });
    this.#changed([id, of('sandbox-uid')]);
  }
}
