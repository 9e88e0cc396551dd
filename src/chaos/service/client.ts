/** kbtop's side of the door of chaos: an injector is started when it is first needed, and what it tells is kept here. */
import { hostname } from 'node:os';
import { AuditFile, DEFAULT_AUDIT_FILE } from '../audit-file.ts';
import { AUDIT_SCHEMA, type AuditReason } from '../audit.ts';
import { type ArmOptions, type ChaosDoor, ChaosError, type ChaosEvent, type FaultStatus, type Injected, type Permits, type Plan } from '../door.ts';
import type { Rule } from '../rule.ts';
import type { ChaosCapabilities } from '../select.ts';
import { Ledger } from './ledger.ts';
import { Link } from './link.ts';
import { type AuditKey, type InjectorSources, readCapabilities, readFault, readPlan, type ToKbtop } from './messages.ts';
import { INJECTOR_COMMAND, runDirectory } from './registration.ts';

export interface ChaosDoorOptions {
  /** Where names come from; null: from cgroup paths alone. */
  readonly sources: InjectorSources | null;
  /** Default: /var/log/kbtop/chaos.jsonl. */
  readonly auditFile?: string;
  /** Receives the logs of libbpf and the verifier. */
  readonly debug?: ((text: string) => void) | null;
  /** Where injectors can be found. */
  readonly runDirectory?: string;
  /** How to start an injector. Default: this very program. */
  readonly command?: readonly [string, ...string[]];
}


const ownCommand = (): readonly [string, ...string[]] => [process.execPath, ...process.execArgv, process.argv[1] ?? '', INJECTOR_COMMAND];

/** @throws ChaosError for an answer that is none */
function understood<T>(answer: T | null): T {
  if (answer === null) throw new ChaosError('failed', 'the injector\'s answer is not understood: were kbtop\'s files replaced while it ran?');
  return answer;
}

class Door implements ChaosDoor {
  readonly #options: ChaosDoorOptions;
  readonly #auditFile: string;
  readonly #ledger = new Ledger();
  readonly #listeners = new Set<(event: ChaosEvent) => void>();
  /** For the audit's last line, by the fault's audit id, as long as nobody wrote it. */
  readonly #open = new Map<string, AuditKey>();
  #link: Link | null = null;
  #capabilities: Promise<ChaosCapabilities> | null = null;
  #closing: Promise<void> | null = null;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: ChaosDoorOptions) {
    this.#options = options;
    this.#auditFile = options.auditFile ?? DEFAULT_AUDIT_FILE;
  }

  #getLink(): Link {
    if (this.#closing !== null) throw new ChaosError('failed', 'kbtop is ending');
    if (this.#link !== null && !this.#link.over) return this.#link;
    const { sources, debug = null, command = ownCommand() } = this.#options;
    const settings = { sources, auditFile: this.#auditFile, runDirectory: this.#options.runDirectory ?? runDirectory(), node: sources?.nodeName ?? hostname().toLowerCase(), debug: debug !== null };
    const link: Link = new Link({ command, settings, heard: (message) => this.#heard(message), gone: (reason) => this.#gone(link, reason) });
    this.#link = link;
    return link;
  }

  capabilities(): Promise<ChaosCapabilities> {
    this.#capabilities ??= this.#findCapabilities().catch((error: unknown) => {
      // Asked again, it is tried again.
      this.#capabilities = null;
      throw error;
    });
    return this.#capabilities;
  }

  async #findCapabilities(): Promise<ChaosCapabilities> {
    return understood(readCapabilities(await this.#getLink().ask({ what: 'capabilities' })));
  }

  async plan(rule: Rule, permits: Permits): Promise<Plan> {
    return understood(readPlan(await this.#getLink().ask({ what: 'plan', rule, permits })));
  }

  async arm(rule: Rule, permits: Permits, { dryRun, typed, who }: ArmOptions): Promise<FaultStatus> {
    const fault = understood(readFault(await this.#getLink().ask({ what: 'arm', rule, permits, dryRun, typed, who: who ?? null })));
    const id = this.#ledger.id(fault.id);
    return this.faults.find((one) => one.id === id) ?? this.#ledger.take(fault);
  }

  async disarm(id: number, reason: AuditReason = 'stopped'): Promise<void> {
    const wire = this.#ledger.wire(id);
    if (wire === null || this.#link === null || this.#link.over) return;
    await this.#ended(this.#link, { what: 'disarm', fault: wire, reason });
  }

  async stopAll(reason: AuditReason = 'stopped'): Promise<void> {
    if (this.#link === null || this.#link.over) return;
    await this.#ended(this.#link, { what: 'stopAll', reason });
  }

  /** An injector that cannot end a fault by asking ends it by going itself. */
  async #ended(link: Link, ask: Parameters<Link['ask']>[0]): Promise<void> {
    try {
      await link.ask(ask);
    } catch {
      await link.end();
    }
  }

  #heard(message: Exclude<ToKbtop, { t: 'answer' | 'error' }>): void {
    switch (message.t) {
      case 'fault': {
        const fault = this.#ledger.take(message.fault);
        if (fault.state === 'ended') this.#open.delete(fault.auditId);
        else if (message.audit !== null) this.#open.set(fault.auditId, message.audit);
        this.#emit({ kind: 'fault', fault });
        return;
      }
      case 'hit': this.#emit({ kind: 'hit', fault: this.#ledger.id(message.fault), hit: message.hit }); return;
      case 'injected': this.#ledger.count(message.injected); return;
      case 'debug': this.#options.debug?.(message.text); return;
      case 'bye': return;
    }
  }

  #gone(link: Link, reason: string): void {
    if (this.#link !== link) return;
    this.#link = null;
    const lost = this.#ledger.lose(reason);
    this.#writing = this.#writeEnds(reason);
    for (const fault of lost) this.#emit({ kind: 'fault', fault });
    if (this.#closing === null) this.#emit({ kind: 'gone', reason });
  }

  /** The injector could not write how its faults ended. */
  async #writeEnds(detail: string): Promise<void> {
    const keys = [...this.#open.values()];
    this.#open.clear();
    if (keys.length === 0) return;
    try {
      const file = await AuditFile.open(this.#auditFile);
      const end = new Date().toISOString();
      for (const key of keys) await file.append({ schema: AUDIT_SCHEMA, event: 'ended', time: end, ...key, reason: 'error', detail, end, matched: null, hits: null });
      await file.close();
    } catch {
      // its first line is there, and the fault is gone
    }
  }

  #emit(event: ChaosEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get faults(): readonly FaultStatus[] {
    return this.#ledger.faults;
  }

  get injected(): Injected {
    return this.#ledger.injected;
  }

  subscribe(listener: (event: ChaosEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#link?.end();
      await this.#writing;
    })();
    return this.#closing;
  }
}

/** Nothing is started yet. */
export const openChaosDoor = (options: ChaosDoorOptions): ChaosDoor => new Door(options);
