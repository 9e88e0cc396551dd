/** Rules whose hits are pinned in vectors.json: the kernel side is held to the same numbers. */
import type { Counting } from '../../src/chaos/decide.ts';

export const CALLS = 200;

const ALL: Counting = { probability: 1, skip: 0, every: 1, last: null, maxHits: 1000, seed: 0 };

export const CASES: readonly Counting[] = [
  ALL,
  { ...ALL, maxHits: 1 }, { ...ALL, maxHits: 100 },
  { ...ALL, skip: 2, every: 2 }, { ...ALL, skip: 199 }, { ...ALL, skip: 200 }, { ...ALL, every: 7 }, { ...ALL, every: 500 },
  { ...ALL, last: 10 }, { ...ALL, skip: 4, last: 5 }, { ...ALL, skip: 5, every: 3, last: 50, maxHits: 6 },
  { ...ALL, probability: 0.5 }, { ...ALL, probability: 0.5, seed: 1 }, { ...ALL, probability: 0.5, seed: 2 ** 53 - 1 },
  { ...ALL, probability: 0.01, seed: 42 }, { ...ALL, probability: 1e-6, seed: 42 }, { ...ALL, probability: 0.999_999, seed: 42 },
  { ...ALL, probability: 0.25, seed: 7, maxHits: 10 }, { ...ALL, probability: 0.3, skip: 10, every: 2, seed: 3, last: 150, maxHits: 12 },
  { ...ALL, skip: 2 ** 32 - 1 }, { ...ALL, every: 2 ** 32 - 1, maxHits: 2 ** 32 - 1, last: 2 ** 32 - 1 },
];
