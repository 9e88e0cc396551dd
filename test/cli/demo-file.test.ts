/** The recording that kbtop brings along: found where it is, whole, and worth looking at. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demoFile } from '../../src/cli/recorded.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { openRecording } from '../../src/session/recording/open.ts';
import { contractProblems } from '../frame/contract.ts';

describe('demoFile', () => {
  it('stands beside dist/ in a release, and beside src/ in a checkout', () => {
    const root = mkdtempSync(join(tmpdir(), 'kbtop-release-'));
    try {
      for (const name of ['dist', 'demo']) mkdirSync(join(root, name));
      expect(() => demoFile(join(root, 'dist'))).toThrow('the demo recording is missing: demo/demo.kbtop belongs beside dist/ and bin/');
      writeFileSync(join(root, 'demo/demo.kbtop'), '');
      expect(demoFile(join(root, 'dist'))).toBe(join(root, 'demo/demo.kbtop'));
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
    expect(demoFile()).toBe(join(import.meta.dirname, '../../demo/demo.kbtop'));
  });
});

describe('the demo', () => {
  it('is two minutes of pods with names, in which something goes wrong that every pane shows', async () => {
    const recording = await openRecording(demoFile());
    expect(recording.warnings).toEqual([]);
    const all = Array.from({ length: recording.end }, (_, i) => recording.frame(i));
    recording.close();
    expect(all.length).toBeGreaterThanOrEqual(100);
    const outcomes = new Set<string>(), preemptors = new Set<string | null>(), errors = new Set<string>();
    for (const frame of all) {
      expect(contractProblems(frame)).toEqual([]);
      for (const id of PANE_IDS) expect(frame.panes[id].state.status).toBe('ok');
      for (const info of Object.values(frame.containers)) expect(info).toMatchObject({ pod: expect.any(String), namespace: expect.any(String) });
      for (const row of frame.panes.tcp.rows) outcomes.add(row.outcome);
      for (const row of frame.panes.opens.rows) if (row.error !== null) errors.add(row.error);
      for (const { preemptedBy } of frame.panes.runqueue.rows) for (const { container } of preemptedBy) preemptors.add(frame.containers[container]?.container ?? null);
    }
    expect([...outcomes]).toEqual(expect.arrayContaining(['established', 'refused']));
    expect([...errors]).toContain('ENOENT');
    expect([...preemptors]).toContain('report');
    expect(JSON.stringify(all)).not.toContain(`"${hostname()}"`);
    expect(JSON.stringify(all)).not.toMatch(/\/work\/|\/root\/|process_api/);
  });
});
