import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuditRecord, auditArmed, auditEnded, auditLine } from '../../src/chaos/audit.ts';
import { AuditError, AuditFile } from '../../src/chaos/audit-file.ts';
import { validateRule } from '../../src/chaos/validate.ts';
import { anyRule, ruleOf } from './arbitrary.ts';

const SUBJECT = { id: '9b2-1', node: 'worker-1', kernel: '6.12.0', who: { uid: 0, sudoUser: 'ada', tty: '/dev/pts/3', pid: 4711 } };
const RULE = ruleOf({ name: 'no-space', syscalls: ['%open'], error: 'ENOSPC', duration: 30_000, target: { pod: 'shop/web-1' } });
const START = new Date('2026-11-21T10:00:00Z');
const ARMED = auditArmed(SUBJECT, RULE, { dryRun: false, backends: ['lsm_cgroup'], cgroups: [{ id: '77', path: '/a' }] }, START);
const ENDED = auditEnded(ARMED, { reason: 'budget', detail: null, matched: 250, hits: 100 }, new Date('2026-11-21T10:00:05Z'));

describe('audit records', () => {
  it('tell who did what to whom until when', () => {
    expect(ARMED).toEqual({
      schema: 'kbtop.audit/1', event: 'armed', time: '2026-11-21T10:00:00.000Z', ...SUBJECT, dryRun: false,
      text: 'For 30 s, every %open call (open, openat, openat2 or creat) of pod shop/web-1 fails with ENOSPC (the disk is full), at most 100 times; ends by itself.',
      rule: { name: 'no-space', target: { pod: 'shop/web-1' }, syscalls: ['%open'], error: 'ENOSPC', duration: 30_000 },
      backends: ['lsm_cgroup'], cgroups: [{ id: '77', path: '/a' }], start: '2026-11-21T10:00:00.000Z', deadline: '2026-11-21T10:00:30.000Z',
    });
    expect(ENDED).toEqual({ schema: 'kbtop.audit/1', event: 'ended', time: '2026-11-21T10:00:05.000Z', ...SUBJECT, reason: 'budget', detail: null, matched: 250, hits: 100, start: '2026-11-21T10:00:00.000Z', end: '2026-11-21T10:00:05.000Z' });
  });

  it('are one line each, from which the rule can be made again', () => {
    fc.assert(fc.property(anyRule, fc.string(), (rule, node) => {
      const line = auditLine(auditArmed({ ...SUBJECT, node }, rule, { dryRun: true, backends: [], cgroups: [{ id: '1', path: '/a\n"\u0000b' }] }, START));
      expect(line.indexOf('\n')).toBe(line.length - 1);
      const record = JSON.parse(line) as Extract<AuditRecord, { event: 'armed' }>;
      expect(validateRule(record.rule)).toEqual({ ok: true, value: rule });
      expect(record.cgroups[0]?.path).toBe('/a\n"\u0000b');
    }));
  });
});

describe('AuditFile', () => {
  let dir: string;
  beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'kbtop-audit-')); });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const lines = (path: string): unknown[] => readFileSync(path, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);

  it('makes its place, for nobody else, and only adds', async () => {
    const path = join(dir, 'log', 'kbtop', 'chaos.jsonl');
    const first = await AuditFile.open(path);
    await first.append(ARMED);
    expect(lines(path)).toEqual([ARMED]);
    await first.append(ENDED);
    await first.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'log', 'kbtop')).mode & 0o777).toBe(0o700);
    const second = await AuditFile.open(path);
    await second.append(ARMED);
    await second.close();
    expect(lines(path)).toEqual([ARMED, ENDED, ARMED]);
  });

  it('keeps lines whole and in order, whoever else writes', async () => {
    const path = join(dir, 'a.jsonl');
    const [one, other] = [await AuditFile.open(path), await AuditFile.open(path)];
    const records = Array.from({ length: 40 }, (_, i) => ({ ...ARMED, id: String(i) }));
    await Promise.all(records.map((record, i) => (i % 2 === 0 ? one : other).append(record)));
    await Promise.all([one.close(), other.close()]);
    const ids = (lines(path) as { id: string }[]).map(({ id }) => Number(id));
    expect([...ids].sort((a, b) => a - b)).toEqual(records.map((_, i) => i));
    for (const odd of [0, 1]) expect(ids.filter((id) => id % 2 === odd)).toEqual(ids.filter((id) => id % 2 === odd).sort((a, b) => a - b));
  });

  it('begins a line of its own behind one that was cut off', async () => {
    const path = join(dir, 'a.jsonl');
    writeFileSync(path, '{"schema":"kbtop.au');
    const file = await AuditFile.open(path);
    await file.append(ARMED);
    await file.append(ENDED);
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe(`{"schema":"kbtop.au\n${auditLine(ARMED)}${auditLine(ENDED)}`);
  });

  const refusal = async (path: string): Promise<string> => {
    const error: unknown = await AuditFile.open(path).then(() => null, (thrown: unknown) => thrown);
    if (!(error instanceof AuditError)) throw new Error(`no AuditError for ${path}: ${String(error)}`);
    expect(error.message).not.toContain('\n');
    expect(error.message).toContain(`cannot keep the audit in ${path}: `);
    expect(error.message).toContain('; nothing is armed without it: ');
    return error.message;
  };

  it('refuses places that cannot hold it, in one line that says why', async () => {
    writeFileSync(join(dir, 'file'), '');
    expect(await refusal(dir)).toContain('it is a directory');
    expect(await refusal(join(dir, 'file', 'x.jsonl'))).toContain('a part of the path is no directory');
    symlinkSync(join(dir, 'file'), join(dir, 'link'));
    expect(await refusal(join(dir, 'link'))).toContain('it is a symbolic link');
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    expect(await refusal(join(dir, 'pipe'))).toContain('it is not a plain file');
    expect(await refusal('/dev/full')).toContain('it is not a plain file');
    expect(await refusal('/proc/nothing/x.jsonl')).toContain('there is no such directory');
  });

  it.skipIf(process.getuid?.() === 0)('says that it may not (needs not to be root)', async () => {
    chmodSync(dir, 0o500);
    expect(await refusal(join(dir, 'a.jsonl'))).toContain('permission denied');
  });

  /** A file system of one page, where root may mount one. */
  const tiny = (): boolean => {
    const probe = mkdtempSync(join(tmpdir(), 'kbtop-mount-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'kbtop-test', probe], { stdio: 'ignore' });
      execFileSync('umount', [probe], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    } finally {
      rmSync(probe, { recursive: true });
    }
  };

  it.skipIf(!tiny())('rejects when the disk is full, and goes on when it is not any more (needs root and mount)', async () => {
    const mount = join(dir, 'full');
    mkdirSync(mount);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'kbtop-test', mount]);
    try {
      const path = join(mount, 'a.jsonl');
      const file = await AuditFile.open(path);
      await file.append(ARMED);
      const big = { ...ARMED, text: 'x'.repeat(5000) };
      await expect(file.append(big)).rejects.toThrow(/the disk is full; nothing is armed without it/);
      await expect(file.append(big)).rejects.toThrow(AuditError);
      execFileSync('mount', ['-o', 'remount,size=1m', mount]);
      await file.append(ENDED);
      await file.close();
      const kept = readFileSync(path, 'utf8').split('\n').filter((line) => line !== '');
      expect(kept[0]).toBe(auditLine(ARMED).trim());
      expect(kept.at(-1)).toBe(auditLine(ENDED).trim());
      execFileSync('mount', ['-o', 'remount,ro', mount]);
      expect(await refusal(path)).toContain('the file system is read-only');
    } finally {
      execFileSync('umount', [mount]);
    }
  });

  it('closes twice without a word, and does not write any more', async () => {
    const file = await AuditFile.open(join(dir, 'a.jsonl'));
    await file.close();
    await file.close();
    await expect(file.append(ARMED)).rejects.toThrow(AuditError);
  });
});
