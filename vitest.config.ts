import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { timeScale } from './test/workloads/scale.ts';

/** Tests that load BPF, start the program or measure: one file at a time, after all others, or they disturb each other. */
const system = ['test/native/**', 'test/bpf/**', 'test/chaos/engine/**', 'test/chaos/service/**', 'test/cli/e2e/**', 'test/identity/**', 'test/probes/**', 'test/pty/**', 'test/release/**', 'test/runtime/**', 'test/screenshots/**', 'test/session/prometheus/**', 'test/tools/**', 'test/vm/**'].map((dir) => `${dir}/*.test.{ts,tsx}`);

export default defineConfig({
  test: {
    // The machine may be small and busy: limits only catch what hangs.
    testTimeout: 60_000 * timeScale,
    hookTimeout: 60_000 * timeScale,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.{ts,tsx}'], exclude: system, maxWorkers: availableParallelism(), sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: 'system', include: system, fileParallelism: false, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
