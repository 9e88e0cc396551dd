/** The audit of a session: who came, what they asked for, what they were refused. */
import { randomUUID } from 'node:crypto';
import { release } from 'node:os';
import type { SocketPeer } from '../../bpf/addon.ts';
import type { AuditFile } from '../../chaos/audit-file.ts';
import { AUDIT_SCHEMA, type AuditVisit, type AuditWho } from '../../chaos/audit.ts';
import { terminalOf } from '../../chaos/service/processes.ts';
import { Bundler } from './bundler.ts';

/** Somebody who came, or tried to. */
export interface Visitor {
  readonly id: string;
  readonly who: AuditWho;
  readonly gid: number;
}

/** The ids are the kernel's; the terminal is that of the process that has the pid now, for people. */
export function visitorOf({ uid, gid, pid }: SocketPeer): Visitor {
  return { id: randomUUID(), gid, who: { uid, sudoUser: null, tty: pid > 0 ? terminalOf(pid) : null, pid } };
}

export type Note = Pick<AuditVisit, 'event'> & Partial<Pick<AuditVisit, 'action' | 'fault' | 'detail'>>;

/** What the audit needs of its file. */
export type AuditSink = Pick<AuditFile, 'append'>;

export class Visits {
  readonly #sink: AuditSink | null;
  readonly #node: string;
  readonly #failed: (error: unknown) => void;
  readonly #refusals: Bundler<{ readonly visitor: Visitor; readonly note: Note }>;

  /**
   * @param sink null: no audit is kept
   * @param failed told when a line cannot be written that nobody waits for
   */
  constructor(sink: AuditSink | null, node: string, failed: (error: unknown) => void) {
    this.#sink = sink;
    this.#node = node;
    this.#failed = failed;
    this.#refusals = new Bundler(({ visitor, note }, times) => this.#write(visitor, note, times));
  }

  #record({ id, who, gid }: Visitor, { event, action = null, fault = null, detail = null }: Note, times: number): AuditVisit {
    return { schema: AUDIT_SCHEMA, event, time: new Date().toISOString(), id, node: this.#node, kernel: release(), who, gid, action, fault, detail, times };
  }

  #write(visitor: Visitor, note: Note, times: number): void {
    this.#sink?.append(this.#record(visitor, note, times)).catch(this.#failed);
  }

  /** Nobody waits for it. */
  note(visitor: Visitor, note: Note): void {
    if (note.event === 'refused') this.#refusals.add(JSON.stringify([visitor.who.uid, note.action, note.detail]), { visitor, note });
    else this.#write(visitor, note, 1);
  }

  /** Resolves when it is on disk. @throws AuditError */
  async first(visitor: Visitor, note: Note): Promise<void> {
    await this.#sink?.append(this.#record(visitor, note, 1));
  }

  /** What is still bundled is written. */
  close(): void {
    this.#refusals.flush();
  }
}
