/**
 * A kbtop that arms a fault, says "armed", and then does what its argument says: `wait`, or `block`, which fills its
 * standard output, a terminal that nobody reads, until the write blocks.
 */
import { writeSync } from 'node:fs';
import { openChaosDoor } from '../../../../src/chaos/service/client.ts';
import { doorOptions, rule } from '../fixture.ts';

const door = openChaosDoor(doorOptions(process.env['KBTOP_FAKE'] ?? ''));
await door.arm(rule({ duration: 60_000 }), { expert: false, allowSystem: false }, { dryRun: false, typed: null });
process.stderr.write('armed\n');
if (process.argv[2] === 'block') for (;;) writeSync(1, 'x'.repeat(65_536));
setInterval(() => {}, 1000);
