/** Entry of the bundle. */
import { settleExecPath } from './exec-path.ts';
import { failed } from './failed.ts';
import { run } from './program.ts';

settleExecPath();

// A bug in a timer or listener must end like any other error: one line, exit code 1. While the screen runs, it has
// listeners of its own, since the terminal must be restored first.
let failing = false;
function fail(thrown: unknown): void {
  if (failing || process.listenerCount('uncaughtException') > 1) return;
  failing = true;
  void failed(thrown, process.argv.includes('--debug')).then((code) => process.exit(code));
}
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

// Everything is written by now; what still holds the event loop must not hold the user.
process.exit(await run(process.argv.slice(2)));
