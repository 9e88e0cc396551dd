/** Kernel allocations and block I/O that fail on an ext4 disk: for whom they should, as long as they should, and nothing is broken by it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rule } from '../../src/chaos/rule.ts';
import { draftOf, type RuleDraft } from '../../src/chaos/validate.ts';
import { ruleOf } from '../chaos/arbitrary.ts';
import { armingProcess, Engine } from '../chaos/engine/support.ts';
import { end, ended, firstLine, ownPath, runIn, TestCgroup, until } from '../workloads/cgroup.ts';
import { Fault, refusalOf, ruleNamed, scenario } from './fault.ts';
import { kernel } from './kernel.ts';

/** Set by run.ts. */
const disk = process.env['KBTOP_VM_DISK'] ?? '';

let directory = '';
let group: TestCgroup, beside: TestCgroup;
beforeEach(() => {
  directory = mkdtempSync(join(disk, 'faults-'));
  group = new TestCgroup(ownPath('hit'));
  beside = new TestCgroup(ownPath('spared'));
});
afterEach(async () => {
  rmSync(directory, { recursive: true, force: true });
  await Promise.all([group.remove(), beside.remove()]);
});

/** What a shell in the cgroup prints, both streams together, and its exit code. */
async function shell(script: string, of = group): Promise<{ readonly text: string; readonly code: number | null }> {
  const child = runIn([of], `exec 2>&1; cd '${directory}'\n${script}`, { LANG: 'C', LC_ALL: 'C' });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => { text += chunk.toString(); });
  const code = await ended(child);
  return { text: text.trim(), code };
}

const SYNC = 'dd if=/dev/zero of=data bs=4k count=4 conv=notrunc,fsync status=none';

/** A program in the cgroup that syncs all the time. */
class Syncing {
  /** Seconds that each sync took, so far. */
  readonly took: number[] = [];
  readonly #child = runIn([group], `cd '${directory}'; while :; do s=$(cut -d' ' -f1 /proc/uptime); ${SYNC}; echo "$s $(cut -d' ' -f1 /proc/uptime)"; done`);

  constructor() {
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const [from = 0, to = 0] = line.split(' ').map(Number);
      this.took.push(to - from);
    });
  }

  /** So many syncs from now on, but for the one that is under way. */
  async next(n: number): Promise<number[]> {
    const from = this.took.length + 1;
    await until('syncs', () => this.took.length >= from + n);
    return this.took.slice(from, from + n);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child);
  }
}

const FAILED = { touch: "touch: cannot touch 'hello': Cannot allocate memory", ln: "ln: failed to create symbolic link 'world': Cannot allocate memory" };

/** That this name alone fails, in this cgroup alone, while the rule is armed alone. */
async function failsOneName(of: Rule, make: (name: string) => string, name: string, message: string): Promise<void> {
  const other = `${name}s`;
  using engine = new Engine();
  const { id } = await engine.arm(draftOf(of), [group]);
  expect(await shell(make(name))).toEqual({ text: message, code: 1 });
  expect(readdirSync(directory)).toEqual([]);
  expect(await shell(make(other))).toEqual({ text: '', code: 0 });
  expect(await shell(`${make(name)} && rm ${name}`, beside)).toEqual({ text: '', code: 0 });
  expect(await shell(make(name))).toEqual({ text: message, code: 1 });
  expect(engine.status(id)).toMatchObject({ hits: 2, acted: 2, lost: 0, trouble: null });
  expect(engine.hits).toMatchObject([{ acted: true, result: -12, given: 'ENOMEM' }, { acted: true, result: -12 }]);
  await engine.kernel.disarm(id);
  expect(await shell(make(name))).toEqual({ text: '', code: 0 });
  expect(readdirSync(directory).sort()).toEqual([name, other]);
}

describe.skipIf(disk === '' || !kernel.errorInjection)('allocations within a function (need a VM with error injection)', () => {
  it('touch hello: Cannot allocate memory', async () => {
    const of = ruleNamed(await scenario('touch-hello-enomem'), 'inode-allocation');
    await failsOneName(of, (name) => `touch ${name}`, 'hello', FAILED.touch);
  });

  it('ln -s hello world: Cannot allocate memory', async () => {
    const of = ruleNamed(await scenario('ln-hello-world-enomem'), 'inode-allocation');
    await failsOneName(of, (name) => `ln -s hello ${name}`, 'world', FAILED.ln);
  });

  it('the same by bpf_override_return', async () => {
    const of = { ...ruleNamed(await scenario('touch-hello-enomem'), 'inode-allocation'), backend: 'kprobe' as const };
    await failsOneName(of, (name) => `touch ${name}`, 'hello', FAILED.touch);
  });

  it('a string argument', async () => {
    const of = ruleOf({ syscalls: ['%symlink'], kernel: { fault: 'slab', function: 'ext4_symlink', argument: 4, string: 'hello' } });
    using fault = await Fault.arm(of, [group]);
    expect(await shell('ln -s hello world')).toEqual({ text: FAILED.ln, code: 1 });
    expect(await shell('ln -s hell world')).toEqual({ text: '', code: 0 });
    expect(await shell('ln -s hellos worlds')).toEqual({ text: '', code: 0 });
    expect(fault.counters).toMatchObject({ acted: 1 });
  });

  it('a process', async () => {
    const child = runIn([group], `cd '${directory}'\necho $$\nread go\n: >one\necho >&2; read go`);
    const pid = Number(await firstLine(child));
    try {
      using fault = await Fault.arm(ruleOf({ syscalls: ['%open'], kernel: { fault: 'slab', function: 'ext4_create', pid } }), [group]);
      expect(await shell('touch two')).toEqual({ text: '', code: 0 });
      child.stdin?.write('go\n');
      await expect.poll(() => fault.counters.acted, { timeout: 30_000 }).toBe(1);
      expect(existsSync(join(directory, 'one'))).toBe(false);
    } finally {
      await end(child);
    }
  });

  it('all failures within one call are one hit, and the budget ends it', async () => {
    using fault = await Fault.arm(ruleOf({ syscalls: ['%open'], maxHits: 2, kernel: { fault: 'slab', function: 'ext4_create' } }), [group]);
    expect((await shell('touch a; touch b; touch c; ls')).text).toBe("touch: cannot touch 'a': Cannot allocate memory\ntouch: cannot touch 'b': Cannot allocate memory\nc");
    expect(fault.counters).toMatchObject({ hits: 2, acted: 2 });
    expect(fault.hits()).toHaveLength(2);
  });

  it('a dry run counts what would have failed, and only that', async () => {
    using engine = new Engine();
    const { id } = await engine.arm(draftOf(ruleNamed(await scenario('touch-hello-enomem'), 'inode-allocation')), [group], true);
    expect(await shell('touch hullo hello; ls')).toEqual({ text: 'hello\nhullo', code: 0 });
    expect(engine.status(id)).toMatchObject({ hits: 1, acted: 0 });
    expect(engine.hits).toMatchObject([{ path: 'hello', dryRun: true, acted: false }]);
  });

  it('an allocation that must not fail does not', async () => {
    // The journal asks for what it notes of a block like anybody first, and when there is nothing, with __GFP_NOFAIL.
    using fault = await Fault.arm(ruleOf({ syscalls: ['%mkdir', '%fsync', '%open'], kernel: { fault: 'slab', function: 'jbd2_journal_add_journal_head' } }), [group]);
    expect(await shell('mkdir a b c && mkdir a/d b/d c/d && touch a/e && sync a b c')).toEqual({ text: '', code: 0 });
    const { failed, nofail } = fault.kernel.counts;
    expect(failed).toBeGreaterThan(0);
    expect(nofail).toBe(failed);
    expect(fault.counters.acted).toBeGreaterThan(0);
  });
});

describe.skipIf(disk === '' || !kernel.errorInjection)('fsync stalled by a failing allocation (needs a VM with error injection)', () => {
  const STALL: RuleDraft = { syscalls: ['%fsync'], maxHits: 10_000, kernel: { fault: 'slab', function: 'ext4_init_io_end' } };

  // A stall ends before its fault when the kernel's own writeback has come by, every five seconds.
  it('syncs take seconds, and are quick again after its time', async () => {
    await using syncing = new Syncing();
    expect(Math.max(...await syncing.next(3))).toBeLessThan(3);
    using fault = await Fault.arm(ruleOf({ ...STALL, duration: 15_000 }), [group]);
    const armed = performance.now();
    await until('a sync that takes seconds', () => Math.max(...syncing.took) > 3);
    await until('the end of its time', () => performance.now() > armed + 15_100);
    expect(Math.max(...await syncing.next(3))).toBeLessThan(3);
    const { hits, acted } = fault.counters;
    expect(acted).toBeGreaterThan(0);
    expect(hits).toBe(acted);
    expect(fault.kernel.counts.failed).toBeGreaterThan(10 * acted);
    const told = fault.hits();
    expect(told).toHaveLength(acted);
    for (const hit of told) expect(hit).toMatchObject({ acted: true, result: 0 });
    expect(Math.max(...told.map(({ heldNs }) => heldNs))).toBeGreaterThan(2e9);
  });

  it('others sync as ever, SIGKILL does not end it, and disarming does at once', async () => {
    const fault = await Fault.arm(ruleOf({ ...STALL, duration: 120_000 }), [group]);
    // The second stall begins as writeback has come by.
    const child = runIn([group], `cd '${directory}'; ${SYNC}; exec ${SYNC}`);
    try {
      await until('the first', () => fault.counters.acted === 1);
      const before = fault.kernel.counts.failed;
      await until('the second', () => fault.kernel.counts.failed > before + 2);
      child.kill('SIGKILL');
      await sleep(500);
      expect(child.signalCode).toBeNull();
      const from = performance.now();
      fault.disarm();
      await ended(child);
      expect(performance.now() - from).toBeLessThan(2000);
      expect(child.signalCode).toBe('SIGKILL');
    } finally {
      fault.disarm();
      await end(child);
      fault.close();
    }
    using again = await Fault.arm(ruleOf({ ...STALL, duration: 120_000 }), [group]);
    expect(await shell(SYNC, beside)).toEqual({ text: '', code: 0 });
    expect(again.counters).toMatchObject({ matched: 0 });
    expect(again.kernel.counts).toMatchObject({ failed: 0 });
  });

  it('the death of whoever armed it ends it', async () => {
    const holder = armingProcess(group, { ...STALL, duration: 300_000 });
    try {
      await firstLine(holder);
      await using syncing = new Syncing();
      await until('a sync that takes seconds', () => Math.max(...syncing.took) > 3);
      await end(holder);
      expect(Math.max(...await syncing.next(5))).toBeLessThan(3);
    } finally {
      await end(holder);
    }
  });
});

describe.skipIf(disk === '' || !kernel.errorInjection)('reading from the disk (needs a VM with error injection)', () => {
  const READ = { syscalls: ['read'], where: { comm: 'cat' } };
  const within = (fault: 'bio' | 'page'): Rule => ruleOf({ ...READ, kernel: { fault, function: 'ext4_file_read_iter' } });
  /** Not from memory. */
  const read = async (of = group): Promise<string> => {
    writeFileSync('/proc/sys/vm/drop_caches', '1');
    return (await shell('cat data', of)).text;
  };
  beforeEach(async () => {
    await shell('echo something >data; sync data');
  });

  it('block I/O fails, of this cgroup alone', async () => {
    const fault = await Fault.arm(within('bio'), [group]);
    try {
      expect(await read()).toBe('cat: data: Input/output error');
      expect(await read(beside)).toBe('something');
      expect(fault.counters).toMatchObject({ acted: 1 });
      expect(fault.hits()).toMatchObject([{ acted: true, result: -5 }]);
    } finally {
      fault.close();
    }
    expect(await read()).toBe('something');
  });

  it('the same by bpf_override_return', async () => {
    using fault = await Fault.arm({ ...within('bio'), backend: 'kprobe' }, [group]);
    expect(await read()).toBe('cat: data: Input/output error');
    expect(fault.counters).toMatchObject({ acted: 1 });
  });

  it('of a device that the node lives on nothing fails', async () => {
    execFileSync('mount', ['--bind', disk, '/boot']);
    try {
      using fault = await Fault.arm(within('bio'), [group]);
      expect(await read()).toBe('something');
      expect(fault.kernel.counts).toMatchObject({ failed: 0 });
      expect(fault.kernel.counts.devices).toBeGreaterThan(0);
      expect(fault.counters).toMatchObject({ acted: 0 });
    } finally {
      execFileSync('umount', ['/boot']);
    }
  });

  it('memory for what is read fails', async () => {
    for (const backend of ['fmod_ret', 'kprobe'] as const) {
      using fault = await Fault.arm({ ...within('page'), backend }, [group]);
      expect(await read()).toBe('cat: data: Cannot allocate memory');
      expect(await read(beside)).toBe('something');
      expect(fault.counters).toMatchObject({ acted: 1 });
    }
  });
});

describe.skipIf(disk === '' || !kernel.fmodRetSecurity)('the same names without failing allocations (need a VM with fmod_ret)', () => {
  it('touch hello: Cannot allocate memory', async () => {
    const of = ruleNamed(await scenario('touch-hello-enomem'), 'security-hook');
    await failsOneName(of, (name) => `touch ${name}`, 'hello', FAILED.touch);
  });

  it('ln -s hello world: Cannot allocate memory', async () => {
    const of = ruleNamed(await scenario('ln-hello-world-enomem'), 'security-hook');
    await failsOneName(of, (name) => `ln -s hello ${name}`, 'world', FAILED.ln);
  });
});

describe.skipIf(disk === '' || !kernel.fentry)('what cannot be (needs a VM)', () => {
  it('is said in one line', async () => {
    expect(await refusalOf({ fault: 'slab', function: 'ext4_creat', when: null })).toBe('no slab failures within ext4_creat: this kernel has no function ext4_creat; if a module has it, load that first');
    expect(await refusalOf({ fault: 'slab', function: 'ext4_create', when: { kind: 'string', argument: 1, equals: 'x' } })).toMatch(
      /^no slab failures within ext4_create: its argument 1 is struct (mnt_idmap|user_namespace) \*, neither a string nor a dentry; try 3 \(struct dentry \*\)$/);
    expect(await refusalOf({ fault: 'slab', function: 'ext4_init_io_end', when: { kind: 'string', argument: 3, equals: 'x' } })).toBe(
      'no slab failures within ext4_init_io_end: it has no argument 3; none of its arguments has a name to compare');
  });

  it.skipIf(kernel.errorInjection)('is what a kernel without error injection refuses', async () => {
    const reason = await refusalOf({ fault: 'slab', function: 'ext4_create', when: { kind: 'string', argument: 3, equals: 'hello' } });
    expect(reason).toMatch(/^no slab failures within ext4_create: should_failslab: /);
    expect(reason).not.toContain('\n');
    const page = await refusalOf({ fault: 'page', function: 'vfs_fsync_range', when: null }, 'kprobe');
    expect(page).toMatch(/^no page failures within vfs_fsync_range: should_fail_alloc_page: /);
  });
});

/** Last, since the disk is taken away and brought back. */
describe.skipIf(disk === '')('the disk afterwards (needs a VM)', () => {
  const run = (file: string, ...args: string[]): { readonly text: string; readonly status: number | null } => {
    const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
    return { text: `${stdout}${stderr}`.trim(), status };
  };

  it('is sound', () => {
    expect(run('umount', disk)).toEqual({ text: '', status: 0 });
    const checked = run('e2fsck', '-fn', '/dev/vda');
    expect(run('mount', '-t', 'ext4', '/dev/vda', disk)).toEqual({ text: '', status: 0 });
    expect(checked).toMatchObject({ status: 0 });
  });

  it('is nothing that the kernel complains about', () => {
    const { text, status } = run('dmesg');
    expect(status).toBe(0);
    expect(text.split('\n').filter((line) => /BUG|WARNING|Oops|EXT4-fs error|EXT4-fs warning|rcu.*stall/.test(line))).toEqual([]);
  });
});
