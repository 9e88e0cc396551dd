import { expect, it } from 'vitest';
import { ownCommand } from '../../src/bpf/own-command.ts';

it('is Node with its settings and the bundle', () => {
  expect(ownCommand({ execPath: '/opt/x/node', execArgv: ['--max-semi-space-size=2'], argv: ['/opt/x/node', '/opt/x/dist/kbtop.mjs', 'top'] })).toEqual(['/opt/x/node', '--max-semi-space-size=2', '/opt/x/dist/kbtop.mjs']);
});

it.each(['ld-linux-x86-64.so.2', 'ld-linux-aarch64.so.1'])('is the launcher where Node runs under %s of a release', (loader) => {
  expect(ownCommand({ execPath: `/opt/x/lib/${loader}`, execArgv: ['--max-semi-space-size=2'], argv: ['/opt/x/node', '/opt/x/dist/kbtop.mjs', 'top'] })).toEqual(['/opt/x/bin/kbtop']);
});
