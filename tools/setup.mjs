#!/usr/bin/env node
/**
 * Make this checkout ready: system packages, npm packages, BPF objects, addon, bundle; nothing when nothing
 * changed. Runs on any Node from 16 on without dependencies, because it runs before `npm ci`.
 *
 *   node tools/setup.mjs [--test] [--bench] [--vm]
 *
 * What VMs and single tests need is installed when it can be; when not, set-up goes on: those tests are skipped, by name.
 * Speaks on stderr only. Exit codes: 0 ready; 1 something is missing or failed.
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptInstall } from './lib/apt.mjs';
import { install, isInstalled } from './lib/dependencies.mjs';
import { lock } from './lib/lock.mjs';
import { missing, needs, testExtras, vmNeeds } from './lib/needs.mjs';
import { giveBack } from './lib/owner.mjs';
import { build, stale } from './lib/parts.mjs';
import { SetupError, say, seconds } from './lib/say.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** npm 7 and 8 run scripts as the checkout's owner, even under sudo: the next command would miss its privilege. */
function warnOfLostRoot() {
  if (process.env.SUDO_UID === undefined || process.getuid() === 0) return;
  say(`npm runs scripts as the owner of this directory (uid ${process.getuid()}), not as root, in spite of sudo; afterwards use: sudo bin/kbtop`);
}

/** Install what can be done without. @param without what there is not then: "VMs" */
async function prepare(wanted, without) {
  const lacking = missing(wanted);
  if (lacking.length === 0) return;
  try {
    await aptInstall(lacking, wanted);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`no ${without}: ${error.message}`);
  }
}

async function setup(purpose) {
  if (process.platform !== 'linux') throw new SetupError(`kbtop needs Linux (BPF); this is ${process.platform}`);
  const wanted = needs(purpose);
  const lacking = missing(wanted);
  if (purpose.vm) await prepare(vmNeeds(), 'VMs');
  if (purpose.test) await prepare(testExtras(), 'kubectl');
  if (lacking.length === 0 && isInstalled(root) && stale(root).length === 0) return;

  const start = Date.now();
  if (lacking.length > 0) await aptInstall(lacking, wanted);
  mkdirSync(join(root, 'dist'), { recursive: true });
  const release = await lock(join(root, 'dist', '.lock'));
  try {
    // Somebody else may have done the work while we waited.
    if (!isInstalled(root)) await install(root);
    const work = stale(root);
    if (work.length > 0) say(`building ${work.map((part) => part.name).join(', ')}`);
    const results = await Promise.allSettled(work.map((part) => build(root, part)));
    const failures = results.filter((result) => result.status === 'rejected').map((result) => result.reason);
    const bug = failures.find((reason) => !(reason instanceof SetupError));
    if (bug !== undefined) throw bug;
    if (failures.length > 0) throw new SetupError(failures.map((reason) => reason.message).join('\n'));
  } finally {
    giveBack(root, statSync(root));
    release();
  }
  say(`ready (${seconds(Date.now() - start)})`);
}

function parse(args) {
  const known = ['--test', '--bench', '--vm'];
  const unknown = args.find((arg) => !known.includes(arg));
  if (unknown !== undefined) throw new SetupError(`unknown option ${unknown}; usage: node tools/setup.mjs [--test] [--bench] [--vm]`);
  return { test: args.includes('--test'), bench: args.includes('--bench'), vm: args.includes('--vm') };
}

/** Errors of the machine, not of ours: one line is enough. */
function explain(error) {
  if (error instanceof SetupError) return error.message;
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return `no permission for ${error.path || root} (${error.code}): was it made by another user? Run this as its owner or as root`;
  }
  if (error.code === 'ENOSPC' || error.code === 'EROFS') return `cannot write ${error.path || root} (${error.code})`;
  return error.stack;
}

try {
  warnOfLostRoot();
  await setup(parse(process.argv.slice(2)));
} catch (error) {
  say(explain(error));
  process.exitCode = 1;
}
