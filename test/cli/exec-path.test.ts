import { expect, it } from 'vitest';
import { settleExecPath } from '../../src/cli/exec-path.ts';

it.each([
  ['/opt/x/lib/ld-linux-x86-64.so.2', '/opt/x/node'],
  ['/opt/x/lib/ld-linux-aarch64.so.1', '/opt/x/node'],
  ['/usr/bin/node', '/usr/bin/node'],
  ['/opt/ld/node', '/opt/ld/node'],
])('%s becomes %s', (execPath, expected) => {
  const own = { execPath };
  settleExecPath(own);
  expect(own.execPath).toBe(expected);
});
