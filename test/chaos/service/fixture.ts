/** A scratch directory of a fake node, and what tests of the door need again and again. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditRecord } from '../../../src/chaos/audit.ts';
import type { Rule } from '../../../src/chaos/rule.ts';
import { type ChaosDoorOptions } from '../../../src/chaos/service/client.ts';
import { INJECTOR_COMMAND } from '../../../src/chaos/service/registration.ts';
import { type RuleDraft, validateRule } from '../../../src/chaos/validate.ts';

export const CHILDREN = join(import.meta.dirname, 'children');

export function rule(draft: RuleDraft = {}): Rule {
  const made = validateRule({ target: { pod: 'shop/web-1', container: 'app' }, syscalls: ['connect'], error: 'ECONNREFUSED', ...draft });
  if (!made.ok) throw new Error(JSON.stringify(made.mistakes));
  return made.value;
}

/** @param directory of a Fake */
export const doorOptions = (directory: string, more: Partial<ChaosDoorOptions> = {}): ChaosDoorOptions => ({
  sources: null, auditFile: join(directory, 'audit.jsonl'), runDirectory: join(directory, 'run'),
  command: [process.execPath, join(CHILDREN, 'fake-injector.ts'), INJECTOR_COMMAND], ...more,
});

/** What processes of the test share; KBTOP_FAKE of its children. */
export class Fake implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'kbtop-chaos-'));

  constructor() {
    process.env['KBTOP_FAKE'] = this.directory;
  }

  #lines(name: string): string[] {
    const file = join(this.directory, name);
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  }

  get journal(): string[] {
    return this.#lines('journal');
  }

  get audit(): AuditRecord[] {
    return this.#lines('audit.jsonl').map((line) => JSON.parse(line) as AuditRecord);
  }

  /** Injectors that were started. */
  get pids(): number[] {
    return this.#lines('pids').map(Number);
  }

  write(name: 'node.json' | 'engine.json', value: unknown): void {
    writeFileSync(join(this.directory, name), JSON.stringify(value));
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
