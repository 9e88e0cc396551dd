import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RuleFlags, addRuleFlags } from '../../../src/cli/chaos/flags.ts';
import { permitsOf, wantedOf } from '../../../src/cli/chaos/wanted.ts';
import { addGlobalFlags } from '../../../src/cli/settings.ts';
import { draftOf } from '../../../src/chaos/validate.ts';

/** As commander reads the command line. */
function flags(line: string): RuleFlags {
  const program = addGlobalFlags(new Command()).exitOverride().configureOutput({ writeErr: () => {} });
  let found: RuleFlags = {};
  program.addCommand(addRuleFlags(new Command('run')).action((_flags: unknown, command: Command) => { found = command.optsWithGlobals<RuleFlags>(); }));
  program.parse(['run', ...line.split(' ').filter(Boolean)], { from: 'user' });
  return found;
}

const drafts = async (line: string): Promise<unknown[]> => (await wantedOf(flags(line))).rules.map(draftOf);
const POD = '--pod shop/web-1';
const CALL = '--syscall connect --error ECONNREFUSED';

let directory: string;
let scenario: string;
const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kbtop-wanted-'));
  scenario = file('two.yaml', 'version: 1\nname: two\nuse: first\nrules:\n- {syscalls: [connect], error: EIO}\n- {syscalls: [openat], error: EIO, target: {pod: a/b}}\n');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the rules that are asked for', () => {
  it.each([
    [`${POD} ${CALL}`, { target: { pod: 'shop/web-1' }, syscalls: ['connect'], error: 'ECONNREFUSED' }],
    [`-n shop --pod web-1 -c app ${CALL}`, { target: { pod: 'shop/web-1', container: 'app' }, syscalls: ['connect'], error: 'ECONNREFUSED' }],
    [`--cgroup /a/b/ --syscall openat,%stat --syscall read --signal TERM`, { target: { cgroup: '/a/b' }, syscalls: ['%stat', 'openat', 'read'], signal: 'SIGTERM' }],
    ['--container-id 0123456789ab --syscall fsync --delay 5ms', { target: { containerId: '0123456789ab' }, syscalls: ['fsync'], delay: 5000 }],
    [`${POD} --syscall openat --error ENOSPC --probability 0.25 --skip 2 --every 3 --last 50 --max-hits 7 --for 30s --path /data/* --comm nginx --fd 3 --uid 1000 --seed 9 --backend fmod_ret`.replace('--fd 3 ', ''),
      { target: { pod: 'shop/web-1' }, syscalls: ['openat'], error: 'ENOSPC', probability: 0.25, skip: 2, every: 3, last: 50, maxHits: 7, duration: 30_000, where: { path: '/data/*', comm: 'nginx', uid: 1000 }, seed: 9, backend: 'fmod_ret' }],
    [`${POD} --syscall connect --error EIO --port 80 --fd 0`, { target: { pod: 'shop/web-1' }, syscalls: ['connect'], error: 'EIO', where: { port: 80, fd: 0 } }],
    [`${POD} --inject openat:error=ENOSPC:when=3+2 --max-hits 4 --for 5s`, { target: { pod: 'shop/web-1' }, syscalls: ['openat'], error: 'ENOSPC', skip: 2, every: 2, maxHits: 4, duration: 5000 }],
  ])('%s', async (line, draft) => {
    expect(await drafts(line)).toEqual([draft]);
  });

  it('are several with several --inject, or of a scenario, each with its own target or the one given', async () => {
    expect(await drafts(`${POD} --inject connect:error=EIO --inject read:signal=TERM`)).toMatchObject([{ syscalls: ['connect'] }, { syscalls: ['read'] }]);
    expect(await wantedOf(flags(`${POD} -f ${scenario}`))).toMatchObject({ use: 'first', rules: [{ target: { pod: 'web-1' } }, { target: { pod: 'b' } }] });
  });

  it('are permitted what was said and no more', () => {
    expect(permitsOf(flags(CALL))).toEqual({ expert: false, allowSystem: false });
    expect(permitsOf(flags(`${CALL} --expert --allow-system`))).toEqual({ expert: true, allowSystem: true });
  });

  it.each([
    [CALL, 'whom is it for? Give --pod NAMESPACE/NAME'],
    [`--pod web-1 ${CALL}`, '--pod "web-1" lacks its namespace: --pod NAMESPACE/web-1'],
    [`--pod deploy/web ${CALL}`, '--pod "deploy/web" means several pods'],
    [`${POD} --pod shop/web-2 ${CALL}`, '--pod is given several times'],
    [`-n shop ${CALL}`, '-n alone is too wide for a fault'],
    [`-l app=web ${CALL}`, '-l and -A are too wide for a fault'],
    [`${POD} -c a -c b ${CALL}`, '-c is given several times'],
    [`-c app ${CALL}`, '-c: container is a name within a pod'],
    [`${POD} --cgroup /x ${CALL}`, 'exclude each other: give one'],
    [`--cgroup x ${CALL}`, '--cgroup: "x" must begin with /'],
    [`${POD} --error EIO`, 'which calls? Give --syscall NAME'],
    [`${POD} --syscall read`, 'what is to happen? Give --error ERRNO, --delay TIME or --signal NAME'],
    [`${POD} --syscall opnat --error ENOSPCC --probability 3`, '--syscall: there is no system call "opnat"; did you mean openat?; --error: there is no errno "ENOSPCC"; did you mean ENOSPC?; --probability: '],
    [`${POD} ${CALL} --skip 5 --last 5`, '--last: last 5 is among the 5 that are skipped'],
    [`${POD} ${CALL} --path /x`, '--path: connect has no path to look at'],
    [`${POD} ${CALL} --skip two`, '--skip "two" is not a number'],
    [`${POD} ${CALL} --for 16m`, '--for "16m" is too long: 15m at most'],
    [`${POD} --syscall read --delay 5`, '--delay "5" lacks a unit: 5ms or 5us?'],
    [`${POD} --inject openat:eror=ENOSPC`, '--inject "openat:eror=ENOSPC" at character 8: unknown option "eror"; did you mean error?'],
    [`${POD} --inject read:error=EIO --max-hits 0`, '--inject "read:error=EIO": --max-hits: maxHits must be 1 to'],
    [`${POD} --inject read:error=EIO --error EIO`, '--inject says the same as --error: leave one out'],
    [`${POD} -f /nonexistent.yaml`, 'cannot read the scenario /nonexistent.yaml: there is no such file'],
  ])('%s is bad usage', async (line, message) => {
    await expect((async () => wantedOf(flags(line)))()).rejects.toMatchObject({ name: 'KbtopError', exitCode: 2, message: expect.stringContaining(message) as string });
  });

  it('tells mistakes of a scenario with their places, and what does not go with one', async () => {
    const bad = file('bad.yaml', 'version: 1\nname: x\nrules:\n- {syscalls: [opn], error: EIO}\n');
    await expect(wantedOf(flags(`${POD} -f ${bad}`))).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(/bad\.yaml:4:15: there is no system call "opn"/) as string });
    await expect(wantedOf(flags(`${POD} -f ${scenario} --max-hits 3 --error EIO`))).rejects.toMatchObject({ exitCode: 2, message: '-f says all about its faults: leave out --error, --max-hits' });
    await expect(wantedOf(flags(`-f ${scenario}`))).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('whom is it for?') as string });
    const all = file('all.yaml', 'version: 1\nname: x\nrules:\n- {syscalls: [open], error: EIO, target: {pod: a/b}}\n');
    await expect(wantedOf(flags(`${POD} -f ${all}`))).rejects.toMatchObject({ message: expect.stringContaining('leave the target out') as string });
  });
});
