/** A vitest reporter that writes what happened as JSON to $KBTOP_TALLY, for tools/test.mjs to count. */
import { writeFileSync } from 'node:fs';

const message = (error) => String((error && error.message) || error).split('\n')[0];

/** Everything that counts: tests by outcome, and errors that belong to no test (a file that does not load, a hook). */
export function summarize(modules, unhandledErrors, reason) {
  const summary = { reason, passed: 0, failed: [], skipped: [], errors: unhandledErrors.map(message) };
  for (const module of modules) {
    const name = (test) => `${module.relativeModuleId} > ${test.fullName}`;
    for (const test of module.children.allTests()) {
      const { state, note } = test.result();
      if (state === 'passed') summary.passed += 1;
      else if (state === 'failed') summary.failed.push(name(test));
      else if (state === 'skipped') summary.skipped.push(note ? `${name(test)} (${note})` : name(test));
      else summary.errors.push(`${name(test)}: never ran`);
    }
    for (const error of module.errors()) summary.errors.push(`${module.relativeModuleId}: ${message(error)}`);
    for (const suite of module.children.allSuites()) {
      for (const error of suite.errors()) summary.errors.push(`${name(suite)}: ${message(error)}`);
    }
  }
  return summary;
}

export default class TallyReporter {
  onTestRunEnd(modules, unhandledErrors, reason) {
    const file = process.env.KBTOP_TALLY;
    if (file) writeFileSync(file, JSON.stringify(summarize(modules, unhandledErrors, reason)));
  }
}
