/** Entry of the bundle's kubectl-kbtop: runs wherever kubectl does, without BPF and without the addon. */
import { settleExecPath } from '../exec-path.ts';
import { failed } from '../failed.ts';
import { GUARD, guard } from './guard.ts';
import { run } from './program.ts';

settleExecPath();

// A bug in a timer or listener must end like any other error: one line, exit code 1.
let failing = false;
function fail(thrown: unknown): void {
  if (failing) return;
  failing = true;
  void failed(thrown, process.argv.includes('--debug')).then((code) => process.exit(code));
}
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

if (process.argv[2] === GUARD) {
  await guard();
  process.exit(0);
}
// Everything is written by now; what still holds the event loop must not hold the user.
process.exit(await run(process.argv.slice(2)));
