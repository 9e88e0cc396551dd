/** What is found out about the kernel is compared with its abilities in test/vm/chaos.test.ts; here: what stays behind. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../../src/bpf/load.ts';
import { kernelCapabilities, SPIN_MAX_US } from '../../../src/chaos/engine/capabilities.ts';
import { MAX_DELAY_US } from '../../../src/chaos/rule.ts';
import { addonDouble } from '../../probes/doubles.ts';
import { bpfIdsOf, canLoadBpf, hierarchies } from '../../workloads/cgroup.ts';

describe.skipIf(!canLoadBpf)('kernelCapabilities', () => {
  it('leaves nothing behind, and is asked once', async () => {
    const before = bpfIdsOf(process.pid);
    const first = kernelCapabilities(loadAddon());
    expect(kernelCapabilities(loadAddon())).toBe(first);
    const { backends, maxDelayUs, holders } = await first;
    expect(bpfIdsOf(process.pid)).toEqual(before);
    expect(readdirSync(hierarchies.mounts(0)[0]?.mountPoint ?? '/').filter((name) => name === `kbtop-try-${process.pid}`)).toEqual([]);
    for (const { reason } of Object.values(backends)) expect(reason).toMatch(/^[^\n]+$/);
    expect(maxDelayUs).toBe(holders.size > 0 ? MAX_DELAY_US : SPIN_MAX_US);
    expect(backends.signal).toEqual(backends.delay);
  });
});

it('says of each backend why nothing can be loaded', async () => {
  const { backends, holders } = await kernelCapabilities(addonDouble);
  for (const { usable, reason } of Object.values(backends)) expect([usable, reason]).toEqual([false, 'no BPF in this test']);
  expect(holders.size).toBe(0);
});
