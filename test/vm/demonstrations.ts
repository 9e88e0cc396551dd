/**
 * What docs/chaos-demonstrations.md shows, as it is seen on the terminal of a guest:
 * npm run test:vm -- --kernel injection-6.1 --command 'node test/vm/demonstrations.ts'. Needs the guest's disk.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { explainRule } from '../../src/chaos/explain.ts';
import type { Rule } from '../../src/chaos/rule.ts';
import { draftOf } from '../../src/chaos/validate.ts';
import { Engine } from '../chaos/engine/support.ts';
import { ended, ownPath, TestCgroup } from '../workloads/cgroup.ts';
import { ruleNamed, scenario } from './fault.ts';
import { kernel } from './kernel.ts';

const DISK = process.env['KBTOP_VM_DISK'] ?? '/run/kbtop/disk';
const directory = mkdtempSync(join(DISK, 'demo-'));
const group = new TestCgroup(ownPath('demo'));

/** A shell in the cgroup, whose output goes where this one's goes. */
function start(script: string): ChildProcess {
  return spawn('/bin/sh', ['-c', `echo $$ >'${group.directory}/cgroup.procs'; exec 2>&1; cd '${directory}'; ${script}`], { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, LC_ALL: 'C' } });
}

async function type(command: string): Promise<void> {
  console.log(`# ${command}`);
  await ended(start(command));
}

async function armed(rule: Rule, body: () => Promise<void>): Promise<void> {
  using engine = new Engine();
  const { id, backends } = await engine.arm(draftOf(rule), [group]);
  console.log(`kbtop: ${explainRule({ ...rule, target: { kind: 'cgroup', path: '/demo' } })} (${backends.join(', ')})`);
  await body();
  const acted = engine.status(id)?.acted;
  await engine.kernel.disarm(id);
  console.log(`kbtop: ended; ${acted} ${acted === 1 ? 'call was' : 'calls were'} hit`);
}

/** @param wrong fails while armed; @param right does not */
async function oneName(title: string, rule: Rule, wrong: string, right: string): Promise<void> {
  console.log(`\n== ${title}, Linux ${release()}`);
  await armed(rule, async () => {
    for (const command of [wrong, right, 'ls']) await type(command);
  });
  for (const command of [wrong, 'ls', 'rm *']) await type(command);
}

const SYNCS = `while :; do
  s=$(date +%s%N); dd if=/dev/zero of=data bs=4k count=4 conv=notrunc,fsync status=none; e=$(date +%s%N)
  echo "$(date +%T) Synced in $(( (e - s) / 1000 )) us"; sleep 1
done`;

async function stalledSync(rule: Rule): Promise<void> {
  console.log(`\n== fsync stalled, Linux ${release()}`);
  const program = start(SYNCS);
  await sleep(6000);
  await armed(rule, async () => { await sleep(rule.durationMs); });
  await sleep(6000);
  program.kill('SIGKILL');
  await ended(program);
}

const [touch, ln, fsync] = [await scenario('touch-hello-enomem'), await scenario('ln-hello-world-enomem'), await scenario('fsync-stalled')];
const ways = kernel.errorInjection ? ['inode-allocation', 'security-hook'] : ['security-hook'];
for (const way of ways) {
  await oneName(`touch hello (${way})`, ruleNamed(touch, way), 'touch hello', 'touch hullo');
  await oneName(`ln -s hello world (${way})`, ruleNamed(ln, way), 'ln -s hello world', 'ln -s hello word');
}
if (kernel.errorInjection) await stalledSync(ruleNamed(fsync, 'writeback-allocation'));
rmSync(directory, { recursive: true });
