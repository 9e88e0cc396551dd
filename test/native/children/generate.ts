/**
 * Makes system calls on demand: each line "N RATE" makes N getuid calls at RATE per second (0: at full speed) and
 * answers with how many it made and how long they took.
 */
import { createInterface } from 'node:readline';
import { getuid, sleep } from '../support.ts';

process.stdout.write(`${JSON.stringify({ pid: process.pid })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const [n = 0, rate = 0] = line.split(' ').map(Number);
  const start = performance.now();
  let made = 0;
  while (made < n) {
    const due = rate === 0 ? n : Math.min(n, Math.floor(((performance.now() - start) / 1000) * rate));
    // Never catch up more than 50 ms at once: a rate is a rate, also after this process had to wait for a CPU.
    const step = rate === 0 ? n : Math.min(due - made, Math.floor(rate / 20));
    getuid(step);
    made += step;
    if (made < n && rate > 0) await sleep(2);
  }
  process.stdout.write(`${JSON.stringify({ made, ms: performance.now() - start })}\n`);
}
