import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HIST_BUCKETS, HIST_MIN_SHIFT, HIST_OCTAVES, HIST_SUB_SHIFT, HIST_WORDS } from '../../src/frame/histogram.ts';

const header = readFileSync(new URL('../../bpf/hist.h', import.meta.url), 'utf8');
const constant = (name: string): number => Number(new RegExp(`#define ${name} (\\d+)`).exec(header)?.[1]);

describe('bpf/hist.h and src/frame/histogram.ts', () => {
  it('state the same constants', () => {
    expect(constant('HIST_MIN_SHIFT')).toBe(HIST_MIN_SHIFT);
    expect(constant('HIST_SUB_SHIFT')).toBe(HIST_SUB_SHIFT);
    expect(constant('HIST_OCTAVES')).toBe(HIST_OCTAVES);
    expect(header).toContain('#define HIST_BUCKETS (1 + HIST_OCTAVES * HIST_SUB)');
    expect(header).toMatch(/struct hist \{\s+u64 sum_ns;\s+u64 max\[2\];\s+u64 bucket\[HIST_BUCKETS\];\s+\};/);
    expect(HIST_WORDS).toBe(3 + HIST_BUCKETS);
  });
});
