import { availableParallelism, hostname, release } from 'node:os';
import { describe, expect, it } from 'vitest';
import { countCpuList, readNode } from '../../src/probes/node.ts';

describe('the node', () => {
  it.each([['0', 1], ['0-3', 4], ['0-3,8,10-11\n', 7], ['', 0]])('counts the CPUs in %j', (list, count) => {
    expect(countCpuList(list)).toBe(count);
  });

  it('is called by its Kubernetes name where that is given', () => {
    expect(readNode('v2', 'worker-1').name).toBe('worker-1');
    expect(readNode('v2', '').name).toBe(hostname());
  });

  it('tells kernel, machine and CPUs', () => {
    const node = readNode('hybrid', null);
    expect(node).toMatchObject({ kernel: release(), cgroupMode: 'hybrid' });
    expect(['x86_64', 'aarch64']).toContain(node.arch);
    expect(node.cpus).toBeGreaterThanOrEqual(availableParallelism());
  });
});
