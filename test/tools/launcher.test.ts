import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCommand } from '../../tools/lib/needs.mjs';
import { Checkout, run } from './checkout.ts';

const isRoot = process.getuid?.() === 0;
let checkout: Checkout;
let launcher: string;
let elsewhere: string;

beforeAll(() => {
  checkout = new Checkout();
  launcher = join(checkout.root, 'bin/kbtop');
  checkout.write('dist/kbtop.mjs', 'console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), node: process.argv0, uid: process.getuid() })); process.exitCode = Number(process.argv[2]) || 0;');
  elsewhere = mkdtempSync(join(tmpdir(), 'kbtop-elsewhere-'));
});
afterAll(() => {
  checkout.remove();
  rmSync(elsewhere, { recursive: true });
});

const seen = (stdout: string): { args: string[]; cwd: string; node: string; uid: number } => JSON.parse(stdout);
const vendored = (): string => join(checkout.root, `node_modules/node-linux-${process.arch}/bin/node`);

describe('bin/kbtop', () => {
  it("runs the bundle with the checkout's own Node, from any directory, arguments untouched", () => {
    const args = ['snapshot', '-o', 'json', 'two words', '', '*', '--', "it's"];
    const { code, stdout, stderr } = run(launcher, args, { cwd: elsewhere });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(seen(stdout)).toMatchObject({ args, cwd: elsewhere, node: vendored() });
  });

  it("passes the program's exit code on", () => expect(run(launcher, ['3']).code).toBe(3));

  it('works through a chain of symlinks, absolute and relative', () => {
    symlinkSync(launcher, join(elsewhere, 'one'));
    symlinkSync('one', join(elsewhere, 'two'));
    expect(seen(run(join(elsewhere, 'two'), ['x']).stdout).node).toBe(vendored());
    expect(seen(run('./two', [], { cwd: elsewhere }).stdout).node).toBe(vendored());
  });

  it('works when found through PATH', () => {
    expect(seen(run('sh', ['-c', 'kbtop'], { env: { PATH: `${join(checkout.root, 'bin')}:${process.env['PATH']}` }, cwd: elsewhere }).stdout).node).toBe(vendored());
  });

  it('works with an empty environment', () => {
    expect(seen(run('/usr/bin/env', ['-i', launcher, 'x']).stdout)).toMatchObject({ args: ['x'], node: vendored() });
  });

  it.skipIf(!isRoot)('works as another user', () => {
    checkout.ownNode();
    expect(seen(run(launcher, [], { uid: 65534, cwd: '/' }).stdout)).toMatchObject({ uid: 65534 });
  });

  it.skipIf(!isRoot || findCommand('sudo') === null)('works through sudo', () => {
    expect(seen(run('sudo', ['-n', launcher, 'x']).stdout)).toMatchObject({ args: ['x'], node: vendored() });
  });

  it('says what to run when nothing is built', () => {
    const bare = join(elsewhere, 'bare');
    mkdirSync(join(bare, 'bin'), { recursive: true });
    copyFileSync(launcher, join(bare, 'bin/kbtop'));
    const { code, stdout, stderr } = run(join(bare, 'bin/kbtop'), []);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`kbtop: ${bare}/dist/kbtop.mjs is not built: run \`npm start\` or \`npm run setup\` in ${bare}\n`);
  });

  it('says what to run when its Node is missing', () => {
    const bare = join(elsewhere, 'no-node');
    cpSync(join(checkout.root, 'bin'), join(bare, 'bin'), { recursive: true });
    cpSync(join(checkout.root, 'dist'), join(bare, 'dist'), { recursive: true });
    const { code, stderr } = run(join(bare, 'bin/kbtop'), []);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^kbtop: its Node is missing below .*: run `npm start` or `npm run setup` there\n$/);
  });

  it("takes this machine's Node where another one's lies beside it", () => {
    const both = join(elsewhere, 'both');
    for (const part of ['bin', 'dist']) cpSync(join(checkout.root, part), join(both, part), { recursive: true });
    for (const arch of ['arm64', 'x64']) {
      mkdirSync(join(both, `node_modules/node-linux-${arch}/bin`), { recursive: true });
      symlinkSync(arch === process.arch ? process.execPath : '/bin/false', join(both, `node_modules/node-linux-${arch}/bin/node`));
    }
    expect(seen(run(join(both, 'bin/kbtop'), []).stdout).node).toBe(join(both, `node_modules/node-linux-${process.arch}/bin/node`));
  });
});
