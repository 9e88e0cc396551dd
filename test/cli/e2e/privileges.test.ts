/** Every rung of the ladder, stood on: the built kbtop as another user with some capabilities, or as root with few. */
import { describe, expect, it } from 'vitest';
import type { Frame, PaneId } from '../../../src/frame/frame.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { findCommand } from '../../../tools/lib/needs.mjs';
import { canLoadBpf } from '../../workloads/cgroup.ts';
import { type Ended, NOBODY, kbtop, onlyLine, openKbtop } from './kbtop.ts';
import { onTerminal } from './terminal.ts';

const why = canLoadBpf ? findCommand('setpriv') === null ? 'setpriv is not installed' : null : 'needs root and BTF';

interface Row { readonly group: string; readonly check: string; readonly ok: string; readonly reason: string; readonly fix: string | null }

/** Argv that runs another as nobody, with these capabilities. */
function asNobody(capabilities: readonly string[]): string[] {
  const list = capabilities.map((name) => `+${name}`).join(',');
  const ids = ['setpriv', `--reuid=${NOBODY.uid}`, `--regid=${NOBODY.gid}`, '--clear-groups'];
  return capabilities.length === 0 ? [...ids, '--inh-caps=-all'] : [...ids, `--inh-caps=${list}`, `--ambient-caps=${list}`];
}
/** Argv that runs another as root that has no more than these, as in a container. */
const asRoot = (capabilities: readonly string[]): string[] => ['setpriv', '--inh-caps=-all', `--bounding-set=-all,${capabilities.map((name) => `+${name}`).join(',')}`];
/** Where everybody can see that it is, and root alone can look into it. */
const WITH_TRACEFS = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'umount -a -t tracefs,debugfs; mount -t tracefs tracefs /sys/kernel/tracing && exec "$@"', 'sh'];
const WITHOUT_TRACEFS = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'umount -a -t tracefs,debugfs; exec "$@"', 'sh'];

function run(prefix: readonly string[], args: readonly string[]): Promise<Ended> {
  const [command = '', ...rest] = prefix;
  return kbtop([...rest, openKbtop(), ...args], { command });
}
async function rowsOf(prefix: readonly string[]): Promise<Row[]> {
  const { stdout } = await run(prefix, ['doctor', '-o', 'json']);
  return (JSON.parse(stdout) as { checks: Row[] }).checks;
}
const answers = (rows: readonly Row[], group: string): Record<string, string> => Object.fromEntries(rows.filter((row) => row.group === group).map(({ check, ok }) => [check, ok]));
const panes = (partly: readonly PaneId[]): Record<string, string> => Object.fromEntries(PANE_IDS.map((id) => [id, partly.includes(id) ? 'partly' : 'yes']));
const find = (rows: readonly Row[], group: string, name: string): Row | undefined => rows.find((row) => row.group === group && row.check === name);

describe.skipIf(why !== null)(`the ladder of privileges${why === null ? '' : ` (${why})`}`, () => {
  it('none: one line that names it, exit code 3; the doctor says the first step', async () => {
    for (const args of [['snapshot', '--duration', '1s'], ['chaos', 'run', '--cgroup', '/x', '--syscall', 'read', '--delay', '1ms', '--yes']]) {
      const ended = await run(asNobody([]), args);
      expect(ended).toMatchObject({ code: 3, stdout: '' });
      expect(onlyLine(ended)).toContain('BPF needs root, or the capabilities CAP_BPF and CAP_PERFMON');
    }
    expect(onlyLine(await run(asNobody([]), ['snapshot']))).toMatch(/ladder of privileges with kbtop doctor; kbtop replay, .* need no privilege$/);
    const rows = await rowsOf(asNobody([]));
    expect(answers(rows, 'ladder')).toEqual({ measure: 'no', names: 'no', node: 'no', root: 'no' });
    expect(find(rows, 'ladder', 'measure')).toMatchObject({ reason: expect.stringMatching(/^lost: every pane; /) as string, fix: expect.stringContaining('--ambient-caps +bpf,+perfmon kbtop') as string });
  });

  it.each([[['bpf']], [['perfmon']]])('half of the first rung is none: %j', async (capabilities) => {
    const ended = await run(asNobody(capabilities), ['snapshot']);
    expect(ended.code).toBe(3);
    onlyLine(ended);
  });

  it('measure, CAP_BPF and CAP_PERFMON: every pane counts, and two say what they lack', async () => {
    const prefix = [...WITH_TRACEFS, ...asNobody(['bpf', 'perfmon'])];
    const { code, stdout, stderr } = await run(prefix, ['snapshot', '--duration', '1s', '-o', 'json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const frame = JSON.parse(stdout) as Frame;
    for (const id of PANE_IDS) expect(frame.panes[id].state.status, id).toBe('ok');
    expect(frame.panes.syscalls.rows.length).toBeGreaterThan(0);
    expect(Object.values(frame.containers).some(({ cgroup }) => cgroup !== null && cgroup !== '')).toBe(true);
    const closed = 'cannot read tracefs at /sys/kernel/tracing: it needs root, or CAP_DAC_READ_SEARCH (EACCES)';
    expect(frame.panes.opens.state.reason).toBe(`every system call on the node pays about 0.1 us more than it should: ${closed}`);
    expect(frame.panes.tcp.state.reason).toBe(`connects that fail before their SYN are not seen: ${closed}`);

    const rows = await rowsOf(prefix);
    expect(answers(rows, 'panes')).toEqual(panes(['opens', 'tcp']));
    expect(find(rows, 'panes', 'opens')?.reason).toBe(`${frame.panes.opens.state.reason}; 8 programs are left out`);
    expect(answers(rows, 'ladder')).toEqual({ measure: 'yes', names: 'no', node: 'no', root: 'no' });
    expect(find(rows, 'ladder', 'names')?.fix).toContain('+bpf,+perfmon,+dac_read_search');
    expect(find(rows, 'kernel', 'tracefs')).toMatchObject({ ok: 'no', fix: 'run as root, or with CAP_DAC_READ_SEARCH' });
    expect(find(rows, 'chaos', 'delay')).toMatchObject({ ok: 'yes' });
    expect(find(rows, 'chaos', 'cgroup')?.reason).toBe('not permitted (EPERM): cgroup programs needs root, or CAP_NET_ADMIN');
    for (const { reason } of rows.filter(({ group }) => group === 'chaos' || group === 'programs')) expect(reason).not.toContain('needs root, or CAP_BPF');
  });

  it('measure, on the screen', async () => {
    const { text, code } = await onTerminal({ command: 'setpriv', args: [...asNobody(['bpf', 'perfmon']).slice(1), openKbtop()], cols: 120, rows: 40, keys: 'q', when: /syscalls/ });
    expect(text).toContain('run queue');
    expect(code).toBe(0);
  });

  it('names, with CAP_DAC_READ_SEARCH: every program, once tracefs is mounted', async () => {
    const capabilities = ['bpf', 'perfmon', 'dac_read_search'];
    const rows = await rowsOf([...WITH_TRACEFS, ...asNobody(capabilities)]);
    expect(answers(rows, 'panes')).toEqual(panes([]));
    expect(answers(rows, 'ladder')).toEqual({ measure: 'yes', names: 'yes', node: 'no', root: 'no' });
    expect(find(rows, 'identity', 'oci')?.reason).not.toContain('permission denied');
    expect(answers(await rowsOf([...WITHOUT_TRACEFS, ...asNobody(capabilities)]), 'panes')).toEqual(panes(['opens', 'tcp']));
  });

  it('node, with CAP_SYS_ADMIN: every program, wherever tracefs is', async () => {
    const rows = await rowsOf([...WITHOUT_TRACEFS, ...asNobody(['bpf', 'perfmon', 'dac_read_search', 'sys_admin'])]);
    expect(answers(rows, 'panes')).toEqual(panes([]));
    expect(answers(rows, 'ladder')).toEqual({ measure: 'yes', names: 'yes', node: 'yes', root: 'no' });
    expect(find(rows, 'ladder', 'root')?.fix).toBe('sudo kbtop');
    expect(find(rows, 'chaos', 'cgroup')).toMatchObject({ ok: 'yes' });
    const ended = await run(asNobody(['bpf', 'perfmon', 'dac_read_search', 'sys_admin']), ['chaos', 'run', '--cgroup', '/', '--syscall', 'read', '--delay', '1ms', '--yes']);
    expect(ended.code).not.toBe(0);
    onlyLine(ended);
  });

  it('CAP_NET_ADMIN: the hooks of a cgroup', async () => {
    expect(find(await rowsOf(asNobody(['bpf', 'perfmon', 'net_admin'])), 'chaos', 'cgroup')).toMatchObject({ ok: 'yes' });
  });

  it('root of a container with CAP_BPF and CAP_PERFMON: root\'s files are its own', async () => {
    const rows = await rowsOf([...WITH_TRACEFS, ...asRoot(['bpf', 'perfmon'])]);
    expect(answers(rows, 'panes')).toEqual(panes([]));
    expect(answers(rows, 'ladder')).toEqual({ measure: 'yes', names: 'yes', node: 'no', root: 'no' });
    expect(find(rows, 'ladder', 'node')?.fix).toBe('securityContext: { capabilities: { add: [BPF, PERFMON, DAC_READ_SEARCH, SYS_ADMIN] } }');
  });

  it('root of a container with nothing: a line that names the capabilities', async () => {
    const ended = await run(asRoot(['chown']), ['snapshot']);
    expect(ended.code).toBe(3);
    expect(onlyLine(ended)).toContain('CAP_BPF and CAP_PERFMON');
  });

  it('root of a user namespace: a line that says that this is nobody', async () => {
    const inside = ['unshare', '--user', '--map-root-user'];
    const ended = await run(inside, ['snapshot']);
    expect(ended.code).toBe(3);
    expect(onlyLine(ended)).toContain('this is a user namespace');
    expect(answers(await rowsOf(inside), 'ladder')).toEqual({ measure: 'no', names: 'no', node: 'no', root: 'no' });
  });

  it('root: everything', async () => {
    expect(answers(await rowsOf(['env']), 'ladder')).toEqual({ measure: 'yes', names: 'yes', node: 'yes', root: 'yes' });
  });
});
