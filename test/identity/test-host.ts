/** A host's root in a temporary directory, with the files that container runtimes and the kubelet leave there. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SourceOptions } from '../../src/identity/options.ts';
import type { NameSource } from '../../src/identity/source.ts';

export const fixture = (name: string): string => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');

export const CONTAINERD = '/run/containerd/io.containerd.runtime.v2.task/k8s.io';

/** The nth container id. */
export const cid = (n: number): string => n.toString(16).padStart(64, '0');

/** config.json as containerd's CRI plugin has it written. */
export function criConfig(pod: string, container: string | null, more: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({
    ociVersion: '1.0.2-dev', process: { args: ['/bin/true'] },
    annotations: {
      'io.kubernetes.cri.container-type': container === null ? 'sandbox' : 'container', 'io.kubernetes.cri.sandbox-name': pod,
      'io.kubernetes.cri.sandbox-namespace': 'shop', ...(container !== null && { 'io.kubernetes.cri.container-name': container }), ...more,
    },
    linux: { cgroupsPath: '/kubepods/x' },
  });
}

export class TestHost implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'kbtop-host-'));

  get options(): SourceOptions {
    return { hostRoot: this.root, runtimeEndpoint: null, kubeconfig: null, context: null, nodeName: 'node1', debug: () => {} };
  }

  path(path: string): string {
    return join(this.root, path);
  }

  mkdir(path: string): string {
    mkdirSync(this.path(path), { recursive: true });
    return this.path(path);
  }

  write(path: string, text: string): string {
    this.mkdir(dirname(path));
    writeFileSync(this.path(path), text);
    return this.path(path);
  }

  link(path: string, target: string): void {
    this.mkdir(dirname(path));
    symlinkSync(target, this.path(path));
  }

  remove(path: string): void {
    rmSync(this.path(path), { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A source, started or not, and what it has told by onChange. */
export class Heard implements Disposable {
  readonly source: NameSource;
  readonly calls: string[][] = [];
  readonly #waiting = new Set<() => void>();

  constructor(source: NameSource) {
    this.source = source;
    source.onChange((ids) => {
      this.calls.push([...(ids ?? [])]);
      for (const wake of this.#waiting) wake();
    });
  }

  get ids(): Set<string> {
    return new Set(this.calls.flat());
  }

  /** Resolves once the source has told of this id. @throws Error after so many milliseconds */
  heard(id: string, ms = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`not told of ${id} in ${ms} ms: ${JSON.stringify(this.source.state)}`)), ms);
      const look = (): void => {
        if (!this.calls.some((ids) => ids.includes(id))) return;
        this.#waiting.delete(look);
        clearTimeout(late);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  [Symbol.dispose](): void {
    this.source.close();
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });
