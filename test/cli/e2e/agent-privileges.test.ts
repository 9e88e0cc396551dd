/** The privileges that deploy/ names are those that the agents need: the built program with exactly these. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/frame/frame.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { capabilitiesOf } from '../../deploy/manifests.ts';
import { canLoadBpf } from '../../workloads/cgroup.ts';
import { KBTOP, type Ended, isRoot, kbtop } from './kbtop.ts';

const hasTools = isRoot && ['setpriv', 'unshare'].every((tool) => spawnSync(tool, ['--version']).status === 0) && spawnSync('unshare', ['-m', 'true']).status === 0;

/** In a mount namespace with what the pod has mounted, as root with these capabilities and no other. */
function withOnly(capabilities: readonly string[], args: readonly string[]): Promise<Ended> {
  const names = capabilities.map((name) => `,+${name.toLowerCase()}`).join('');
  const script = 'for fs in tracefs:tracing debugfs:debug; do mountpoint -q "/sys/kernel/${fs#*:}" || mount -t "${fs%:*}" none "/sys/kernel/${fs#*:}" || exit 99; done; exec setpriv --bounding-set "$0" --inh-caps -all --no-new-privs "$@"';
  return kbtop(['-m', 'sh', '-c', script, `-all${names}`, KBTOP, ...args], { command: 'unshare' });
}

const panesOf = (ended: Ended): Frame['panes'] => {
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
  return (JSON.parse(ended.stdout) as Frame).panes;
};

describe.skipIf(!canLoadBpf || !hasTools)('capabilities of the agents (needs root, BTF, setpriv and unshare)', () => {
  const readOnly = capabilitiesOf('base/daemonset.yaml'), chaos = capabilitiesOf('overlays/chaos/daemonset.yaml');

  it('to look are enough for every pane, with nothing missing', async () => {
    const panes = panesOf(await withOnly(readOnly, ['snapshot', '--duration', '1s', '-o', 'json']));
    const all = panesOf(await kbtop(['snapshot', '--duration', '1s', '-o', 'json']));
    for (const id of PANE_IDS) {
      expect(panes[id].state.status, `${id}: ${panes[id].state.reason}`).toBe('ok');
      // What root with everything lacks on this kernel they may lack, too.
      if (panes[id].state.reason !== null) expect(panes[id].state.reason, id).toBe(all[id].state.reason);
    }
  });

  it('to look are all needed: without any of them nothing can be seen', async () => {
    for (const left of readOnly) {
      const { code } = await withOnly(readOnly.filter((one) => one !== left), ['snapshot', '--duration', '250ms', '-o', 'json']);
      expect(code, `without ${left}`).toBe(3);
    }
  });

  it('to break give every backend that root with everything has', async () => {
    const backends = ({ stdout }: Ended): Record<string, boolean> =>
      Object.fromEntries((JSON.parse(stdout) as { backends: { name: string; usable: boolean }[] }).backends.map(({ name, usable }) => [name, usable]));
    const all = backends(await kbtop(['chaos', 'capabilities', '-o', 'json']));
    expect(backends(await withOnly(chaos, ['chaos', 'capabilities', '-o', 'json']))).toEqual(all);
    // And those to look do not: what is there to break with is not given to whoever only looks.
    if (all['cgroup'] === true) expect(backends(await withOnly(readOnly, ['chaos', 'capabilities', '-o', 'json']))['cgroup']).toBe(false);
  });
});
