/** Opens and loads damaged copies of the selftest objects; a crash of this process is the failure looked for. */
import { readFileSync } from 'node:fs';
import { addon, selftest } from '../support.ts';

const rounds = Number(process.argv[2]);
const originals = ['counter', 'stream', 'mixed', 'records', 'tasks'].map((name) => readFileSync(selftest(name)));
const codes: Record<string, number> = {};
let state = 88_172_645;
const below = (n: number): number => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % n;
};

for (let round = 0; round < rounds; round++) {
  const original = originals[below(originals.length)] ?? Buffer.alloc(0);
  let damaged = Buffer.from(original);
  for (let i = 0; i <= below(8); i++) {
    // The file header, the section headers at the end, or anywhere.
    const at = [below(64), damaged.length - 1 - below(1500), below(damaged.length)][below(3)] ?? 0;
    damaged[at] = below(2) ? below(256) : [0, 0xff, 0x7f, 0x80][below(4)] ?? 0;
  }
  if (below(10) === 0) damaged = damaged.subarray(0, below(damaged.length));
  let code = 'ok';
  try {
    const object = addon().open(damaged);
    try {
      if (below(4) === 0) await object.load();
    } finally {
      object.close();
    }
  } catch (error) {
    code = (error as { code?: string }).code ?? String(error);
  }
  codes[code] = (codes[code] ?? 0) + 1;
}
process.stdout.write(`${JSON.stringify(codes)}\n`);
