/** How guests end, and that nothing they say is lost. Run on the host by run.ts, with the image it boots. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Guest, type Outcome, boot, OUT } from './qemu.ts';

/** A kernel with everything built in. */
const vmlinuz = process.env['KBTOP_VM_IMAGE'];
const DIRECTORY = import.meta.dirname;

describe.skipIf(vmlinuz === undefined)('a guest (only in npm run test:vm)', () => {
  let out: string;
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), 'kbtop-boot-'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(out, { recursive: true });
  });

  async function run(command: string, options: Partial<Guest> = {}): Promise<Outcome & { output: Buffer }> {
    const parts: Buffer[] = [];
    const image = { vmlinuz: vmlinuz ?? '', moduleRoot: null, origin: 'test' };
    const outcome = await boot({ image, command, directory: DIRECTORY, limitMs: 120_000, memoryMb: 512, onOutput: (text) => parts.push(text), ...options }, out);
    return { ...outcome, output: Buffer.concat(parts) };
  }

  it('runs a command among the files of the host, as root, without changing them', async () => {
    const { how, code, output, bootSeconds, complaints } = await run("pwd; id -u; cat ../guest/start | wc -l; echo new > own-file; cat own-file; echo 'it'\\''s' \"done\"; exit 42");
    const lines = readFileSync(join(DIRECTORY, '../guest/start'), 'utf8').split('\n').length - 1;
    expect(output.toString()).toBe(`${DIRECTORY}\n0\n${lines}\nnew\nit's done\n`);
    expect({ how, code, complaints }).toEqual({ how: 'ended', code: 42, complaints: [] });
    expect(bootSeconds).toBeGreaterThan(0);
    expect(existsSync(join(DIRECTORY, 'own-file'))).toBe(false);
  });

  it('writes files for the host', async () => {
    const { code } = await run(`head -c 5000000 /dev/zero > ${OUT}/zeros`);
    expect(code).toBe(0);
    expect(readFileSync(join(out, 'zeros'))).toHaveLength(5_000_000);
  });

  it('loses nothing of 20 MB of output, and what is written to /dev/stderr', async () => {
    const { code, output } = await run('seq 1 2800000; echo end > /dev/stderr');
    expect(code).toBe(0);
    const text = output.toString('latin1');
    expect(text).toHaveLength(Array.from({ length: 7 }, (_, i) => (Math.min(10 ** (i + 1), 2_800_001) - 10 ** i) * (i + 2)).reduce((sum, one) => sum + one) + 'end\n'.length);
    expect(text.startsWith('1\n2\n3\n') && text.endsWith('2800000\nend\n')).toBe(true);
  });

  it('tells of a command that was killed, and waits for nobody it leaves behind', async () => {
    const { how, code, output, seconds } = await run('sleep 300 & echo told; kill -9 $$');
    expect({ how, code, output: output.toString().split('\n')[0] }).toEqual({ how: 'ended', code: 137, output: 'told' });
    expect(seconds).toBeLessThan(100);
  });

  it('is ended when it takes too long', async () => {
    const { how, code, output } = await run('echo told; sleep 300', { limitMs: 20_000 });
    expect({ how, code, output: output.toString() }).toEqual({ how: 'timeout', code: null, output: 'told\n' });
  });

  it('shows its last words when its kernel panics', async () => {
    const { how, code, complaints, consoleTail } = await run('echo c > /proc/sysrq-trigger');
    expect({ how, code }).toEqual({ how: 'died', code: null });
    expect(complaints.join('\n')).toContain('Kernel panic');
    expect(consoleTail).toContain('sysrq');
  });

  it('says why a machine does not start', async () => {
    writeFileSync(join(out, 'no-kernel'), 'x');
    const { how, consoleTail } = await run('true', { image: { vmlinuz: join(out, 'no-kernel'), moduleRoot: null, origin: 'test' }, limitMs: 20_000 });
    expect(how).not.toBe('ended');
    expect(consoleTail).not.toBe('');
  });

  it('leaves nothing on the host', async () => {
    // A place of its own: other guests come and go beside it.
    const scratch = join(out, 'scratch');
    mkdirSync(scratch);
    vi.stubEnv('TMPDIR', scratch);
    expect((await run('true')).code).toBe(0);
    expect(readdirSync(scratch)).toEqual([]);
  });
});
