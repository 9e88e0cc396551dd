/** Checks that files answer: privilege, kernel, cgroups, limits, terminal. All of them work for any user. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Feature, isPrivilege, kernelVersion, systemFeatures } from '../../bpf/features.ts';
import { Hierarchies } from '../../identity/hierarchies.ts';
import { colorDepth } from '../../ui/theme.ts';
import { detectSymbols } from '../../ui/symbols.ts';
import { version } from '../version.ts';
import { type Check, type Group, check, featureCheck, reasonOf } from './check.ts';

const groupOf = ({ feature }: Feature): Group => (isPrivilege(feature) ? 'privilege' : 'kernel');

/** Privilege and kernel, from the features. */
export const featureChecks = (features: readonly Feature[]): Check[] => features.map((feature) => featureCheck(groupOf(feature), feature));

/** RLIMIT_MEMLOCK counts BPF memory only before Linux 5.11. @param root directory that stands for / */
export function memlockCheck(root = '/'): Check {
  let limit, release;
  try {
    limit = /^Max locked memory\s+(\S+)/m.exec(readFileSync(join(root, 'proc/self/limits'), 'utf8'))?.[1];
    release = kernelVersion(readFileSync(join(root, 'proc/sys/kernel/osrelease'), 'utf8'));
  } catch (error) {
    return check('kernel', 'RLIMIT_MEMLOCK', null, reasonOf(error));
  }
  if (limit === undefined || !release) return check('kernel', 'RLIMIT_MEMLOCK', null, 'not understood');
  const [major, minor] = release;
  const counted = major < 5 || (major === 5 && minor < 11);
  if (!counted) return check('kernel', 'RLIMIT_MEMLOCK', true, `${limit}; does not count BPF memory since Linux 5.11`);
  const enough = limit === 'unlimited' || Number(limit) >= 64 * 2 ** 20;
  return check('kernel', 'RLIMIT_MEMLOCK', enough, `${limit}; counts BPF memory before Linux 5.11`, enough ? null : 'ulimit -l unlimited');
}

/** Which hierarchies there are and where. @param procSelf directory to read */
export function cgroupChecks(procSelf = '/proc/self'): Check[] {
  try {
    const hierarchies = Hierarchies.read(procSelf);
    const missing = hierarchies.wanted.filter((id) => hierarchies.mounts(id).length === 0);
    const mounts = hierarchies.wanted.flatMap((id) => hierarchies.mounts(id).map((mount) => mount.mountPoint));
    return [
      check('cgroups', 'cgroup mode', true, hierarchies.mode),
      missing.length === 0
        ? check('cgroups', 'cgroup mounts', true, mounts.join(', '))
        : check('cgroups', 'cgroup mounts', mounts.length > 0 ? 'partly' : false, mounts.length > 0 ? `only ${mounts.join(', ')}` : 'none is visible: paths of idle containers and CPU throttling are unknown', 'mount /sys/fs/cgroup of the host into this container'),
    ];
  } catch (error) {
    return [check('cgroups', 'cgroup mode', null, reasonOf(error), 'mount /proc')];
  }
}

/** What the screen could use here. */
export function terminalChecks(environment: NodeJS.ProcessEnv = process.env, stdout: NodeJS.WriteStream = process.stdout): Check[] {
  const terminal = stdout.isTTY && process.stdin.isTTY;
  const depth = colorDepth('auto', environment, stdout.isTTY ? stdout.getColorDepth() : 1);
  const symbols = detectSymbols(environment, false);
  const { columns, rows } = stdout;
  const large = columns >= 80 && rows >= 24;
  return [
    terminal
      ? check('terminal', 'terminal', large ? true : 'partly', `${columns}x${rows}, TERM=${environment['TERM'] ?? ''}`, large ? null : columns > 0 && rows > 0 ? 'all panes need 80x24' : 'tell its size with stty rows 24 cols 80')
      : check('terminal', 'terminal', false, 'stdin or stdout is not a terminal: kbtop top cannot run, snapshot can', 'with kubectl exec or ssh: -it, -t'),
    check('terminal', 'colours', depth > 0, depth > 0 ? String(depth) : environment['NO_COLOR'] ? 'NO_COLOR is set' : 'none known of this terminal', depth > 0 ? null : '--color'),
    check('terminal', 'Unicode', symbols !== 'ascii', symbols === 'ascii' ? 'the locale or TERM says no: charts are ASCII' : symbols, symbols === 'ascii' ? 'LC_ALL=C.UTF-8' : null),
  ];
}

/** @param libbpf null when the addon does not load, with the reason */
export function versionChecks(libbpf: string | { readonly reason: string }): Check[] {
  return [
    check('versions', 'kbtop', true, version()),
    check('versions', 'Node.js', true, process.versions.node),
    typeof libbpf === 'string' ? check('versions', 'libbpf', true, `${libbpf}, built in`) : check('versions', 'native addon', false, libbpf.reason),
  ];
}

export const systemChecks = (root = '/'): Check[] => [...featureChecks(systemFeatures(root)), memlockCheck(root), ...cgroupChecks(join(root, 'proc/self'))];
