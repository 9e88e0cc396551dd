/** Started beside a test's container runtime: cleans up when the test is no longer there to do it. Argument: the runtime's directory. */
import { cleanUp } from './clean-up.ts';
import { placeIn } from './place.ts';

process.stdin.resume();
process.stdin.once('close', () => void cleanUp(placeIn(process.argv[2] ?? '')));
