/** From checks and a test run to the closing line that machines read. */

/**
 * @param {{ name: string, ok: boolean }[]} checks typecheck, lint: a failed one counts as a failed test
 * @param {object | null} run what tally-reporter wrote; null when the runner died before the end
 * @param {number | null} exitCode of the runner; null when it was killed
 * @returns {{ lines: string[], counts: { passed: number, failed: number, skipped: number }, closing: string, ok: boolean }}
 */
export function tally(checks, run, exitCode) {
  const failed = checks.filter((check) => !check.ok).map((check) => check.name);
  const skipped = run === null ? [] : run.skipped;
  const passed = run === null ? 0 : run.passed;
  if (run === null) failed.push('vitest: ended without a report');
  else {
    failed.push(...run.failed, ...run.errors);
    if (passed + run.failed.length + skipped.length === 0 && run.errors.length === 0) failed.push('vitest: found no test');
    else if (exitCode !== 0 && failed.length === 0) failed.push(`vitest: ended with code ${exitCode} although no test failed`);
  }
  const lines = [
    ...skipped.map((name) => `skipped: ${name}`),
    ...failed.map((name) => `FAILED: ${name}`),
  ];
  const counts = { passed, failed: failed.length, skipped: skipped.length };
  return { lines, counts, closing: closingLine(counts), ok: failed.length === 0 };
}

/** @param {{ passed: number, failed: number, skipped: number }} counts */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
