/** How much slower than a real machine this one is: limits are that much longer. Set by test/vm/run.ts. */
export const timeScale = Number(process.env['KBTOP_TEST_SCALE'] ?? 1) || 1;
