/** What the command line adds to the screen; the screen itself is tested in test/pty. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canLoadBpf } from '../../workloads/cgroup.ts';
import { KBTOP, isRoot, openKbtop } from './kbtop.ts';
import { onTerminal } from './terminal.ts';

const ALTERNATE_SCREEN = '\u001b[?1049h';

describe('kbtop top', () => {
  it.skipIf(!isRoot)('as nobody: one line and exit code 3, the terminal untouched (needs root to become nobody)', async () => {
    const { text, code } = await onTerminal({ command: 'setpriv', args: ['--reuid', '65534', '--regid', '65534', '--clear-groups', openKbtop()] });
    expect({ text, code }).toEqual({ text: 'kbtop: BPF needs root, or the capabilities CAP_BPF and CAP_PERFMON: run it with sudo, or see the ladder of privileges with kbtop doctor; kbtop replay, kbtop demo and kbtop attach need no privilege\r\n', code: 3 });
  });

  it.skipIf(!isRoot)('without BTF: one line and exit code 3, the terminal untouched (needs root to hide it)', async () => {
    const { text, code } = await onTerminal({ command: 'unshare', args: ['-m', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$0"', KBTOP] });
    expect(code).toBe(3);
    expect(text).toMatch(/^kbtop: [^\r\n]+BTF[^\r\n]+\r\n$/);
  });

  it.skipIf(!canLoadBpf)('draws, and leaves with the terminal as it was (needs root and BTF)', async () => {
    const { text, code } = await onTerminal({ args: [], cols: 120, rows: 40, keys: 'q', when: /syscalls/ });
    expect(code).toBe(0);
    expect(text).toContain(ALTERNATE_SCREEN);
    expect(text.lastIndexOf('\u001b[?1049l')).toBeGreaterThan(text.lastIndexOf(ALTERNATE_SCREEN));
  });

  it.skipIf(!canLoadBpf)('ends with 130 at Ctrl-C (needs root and BTF)', async () => {
    expect((await onTerminal({ args: ['top'], keys: '\u0003', when: /syscalls/ })).code).toBe(130);
  });

  it.skipIf(!canLoadBpf)('starts in the configured order (needs root and BTF)', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kbtop-top-'));
    try {
      const config = join(dir, 'config.yaml');
      writeFileSync(config, 'panes:\n  containers:\n    sort: memoryBytes\n');
      const { text, code } = await onTerminal({ args: ['--config', config, '--no-color'], cols: 160, rows: 45, keys: 'q', when: /MEM▼/ });
      expect(code).toBe(0);
      expect(text).not.toContain('CPU%▼');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it.skipIf(!canLoadBpf)('says in its header what it is limited to (needs root and BTF)', async () => {
    const { code } = await onTerminal({ args: ['-n', 'shop', '-l', 'app=web', '--no-color'], cols: 160, rows: 45, keys: 'q', when: /-n shop -l app=web/ });
    expect(code).toBe(0);
  });

  it.skipIf(!canLoadBpf)('keeps every character in ASCII when told (needs root and BTF)', async () => {
    const { text } = await onTerminal({ args: ['--ascii'], cols: 120, rows: 40, keys: 'q', when: /syscalls/ });
    // eslint-disable-next-line no-control-regex
    expect(text).toMatch(/^[\u0000-\u007f]*$/);
  });
});
