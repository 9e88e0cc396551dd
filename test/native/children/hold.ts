/**
 * Holds BPF objects and ends in the way its argument says, when told: exit, throw, reject, abort, wait.
 * Prints the kernel ids it holds.
 */
import { createInterface } from 'node:readline';
import { addon, idsOf, openAttached } from '../support.ts';

const way = process.argv[2] ?? 'wait';
const counter = await openAttached('counter');
const stream = await openAttached('stream');
stream.ring('records').drain();
counter.map('by_nr').read();
const stopStats = addon().enableStats();
const [a, b] = [idsOf(counter), idsOf(stream)];
process.stdout.write(`${JSON.stringify({ links: [...a.links, ...b.links], programs: [...a.programs, ...b.programs], maps: [...a.maps, ...b.maps] })}\n`);

createInterface({ input: process.stdin }).on('line', () => {
  if (way === 'exit') process.exit(7);
  if (way === 'throw') throw new Error('on purpose');
  if (way === 'reject') void Promise.reject(new Error('on purpose'));
  if (way === 'abort') process.abort();
  if (way === 'load and exit') {
    void openAttached('counter');
    process.exit(7);
  }
});
setInterval(() => stopStats.length + counter.programs().length, 1000);
