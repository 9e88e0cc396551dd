/** The built doctor, for root and for nobody, in a pipe and on a terminal. */
import { describe, expect, it } from 'vitest';
import { BACKEND_NAMES } from '../../../src/chaos/backends.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { canLoadBpf } from '../../workloads/cgroup.ts';
import { NOBODY, isRoot, kbtop, onlyLine, openKbtop } from './kbtop.ts';
import { onTerminal } from './terminal.ts';

interface Row { group: string; check: string; ok: string; reason: string; fix: string | null }

function rowsOf(stdout: string): Row[] {
  const { schema, checks } = JSON.parse(stdout) as { schema: string; checks: Row[] };
  expect(schema).toBe('kbtop.doctor/1');
  for (const row of checks) {
    expect(Object.keys(row)).toEqual(['group', 'check', 'ok', 'reason', 'fix']);
    expect(['yes', 'no', 'partly', 'unknown']).toContain(row.ok);
    expect(row.reason).not.toBe('');
    expect(row.reason).not.toContain('\n');
  }
  return checks;
}
const named = (rows: readonly Row[], group: string): string[] => rows.filter((row) => row.group === group).map(({ check }) => check);

describe('kbtop doctor', () => {
  it.skipIf(!canLoadBpf)('finds every pane working, and tries everything else (needs root and BTF)', async () => {
    const { code, stdout, stderr } = await kbtop(['doctor', '-o', 'json']);
    const rows = rowsOf(stdout);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(named(rows, 'panes')).toEqual(PANE_IDS);
    for (const row of rows.filter(({ group }) => group === 'panes')) expect(row.reason).toMatch(/^all [1-9]\d* programs load and attach$|^needs no programs of its own$/);
    expect(named(rows, 'chaos')).toEqual(BACKEND_NAMES);
    for (const backend of ['cgroup', 'signal', 'delay']) expect(rows.find(({ group, check }) => group === 'chaos' && check === backend)).toMatchObject({ ok: 'yes' });
    expect(named(rows, 'programs')).toContain('tp_btf');
    expect(rows.find(({ group, check }) => group === 'identity' && check === 'cgroup')?.ok).toBe('yes');
    expect(named(rows, 'kernel')).toEqual(expect.arrayContaining(['BTF', 'lockdown', 'RLIMIT_MEMLOCK', 'kernel']));
    expect(named(rows, 'versions')).toEqual(['kbtop', 'Node.js', 'libbpf']);
  });

  it.skipIf(!canLoadBpf)('is a plain table in a pipe, one line per check (needs root and BTF)', async () => {
    const { code, stdout } = await kbtop(['doctor']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^CHECK +OK +WHY\n/);
    expect(stdout).toMatch(/\ntcp pane +yes +all \d+ programs load and attach\n/);
    expect(stdout).not.toContain('\u001b');
  });

  it.skipIf(!canLoadBpf)('says which pane does not work, and exits with 3 (needs root and BTF)', async () => {
    const ended = await kbtop(['doctor', '-o', 'json'], { env: { KBTOP_BPF_DIR: '/nonexistent' } });
    expect(ended.code).toBe(3);
    expect(onlyLine(ended)).toContain('6 panes do not work here: syscalls, runqueue, opens, tcp, containers, processes');
    for (const row of rowsOf(ended.stdout).filter(({ group }) => group === 'panes')) expect(row).toMatchObject({ ok: 'no', reason: expect.stringContaining('/nonexistent/') as string });
  });

  it('works for nobody, and says what is lost', async () => {
    const ended = await kbtop(['doctor', '-o', 'json'], isRoot ? { ...NOBODY, command: openKbtop() } : {});
    const rows = rowsOf(ended.stdout);
    expect(ended.code).toBe(3);
    onlyLine(ended);
    expect(rows.find(({ check }) => check === 'root')).toMatchObject({ ok: 'no' });
    for (const row of rows.filter(({ group }) => group === 'panes')) expect(row).toMatchObject({ ok: 'no', fix: 'run it with sudo' });
    expect(rows.find(({ group, check }) => group === 'identity' && check === 'cgroup')?.ok).toBe('partly');
  });

  it('survives a broken addon', async () => {
    const ended = await kbtop(['doctor', '-o', 'json'], { env: { KBTOP_ADDON: '/nonexistent/kbtop.node' } });
    expect(ended.code).toBe(3);
    expect(rowsOf(ended.stdout).find(({ check }) => check === 'native addon')).toMatchObject({ ok: 'no', reason: expect.stringContaining('/nonexistent/kbtop.node') as string });
  });

  it.each([[80, 24], [120, 40]])('is framed on a terminal of %ix%i, and fits it', async (cols, rows) => {
    const { text } = await onTerminal({ args: ['doctor'], cols, rows });
    expect(text).toContain('┌');
    // eslint-disable-next-line no-control-regex
    const plain = text.replaceAll(/\u001b\[[\d;]*m/g, '').split('\r\n').filter((line) => /^[│┌├└]/.test(line));
    expect(plain.length).toBeGreaterThan(20);
    expect(new Set(plain.map((line) => line.length)).size).toBe(1);
    expect(plain[0]?.length).toBeLessThanOrEqual(cols);
    expect(plain.filter((line) => line.startsWith('├'))).toHaveLength(1);
  });

  it('is plain on a terminal that knows no colours or characters', async () => {
    for (const args of [['doctor', '--ascii'], ['doctor', '--no-color']]) {
      const { text } = await onTerminal({ args });
      expect(text).not.toContain('┌');
      for (const line of text.split('\r\n').filter((one) => /^(?:CHECK| |[a-z])/i.test(one) && !one.startsWith('kbtop:'))) expect(line.replaceAll('\u001b[39m', '').length).toBeLessThanOrEqual(95);
    }
  });
});
