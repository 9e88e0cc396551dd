/** Checks that load BPF: each program type, each pane's programs. Everything is taken away again. */
import type { Addon, ProgramResult } from '../../bpf/addon.ts';
import { programFeatures } from '../../bpf/program-features.ts';
import type { PaneId, PaneState } from '../../frame/frame.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Manager } from '../../probes/manager.ts';
import { type Check, check, featureCheck, reasonOf } from './check.ts';
import { sourceChecks } from './identity.ts';

/** How long the probes run: long enough to read every map once, milliseconds. */
export const TRIAL_MS = 200;

const PATHS_ALONE = 'paths from mounted cgroup file systems alone';

/** A reason without the names in it that differ from program to program: "syscalls/sys_enter_openat". */
const kindOf = (reason: string): string => reason.replaceAll(/\b[\w-]+\/[\w-]+\b/g, '');

/** What was tried and refused, in one line: each kind of reason once. @param told what is said of the pane already */
function failedPrograms(results: readonly ProgramResult[], told = ''): string {
  const kinds = new Map<string, { readonly first: ProgramResult; count: number }>();
  for (const result of results.filter(({ ok }) => !ok)) {
    const kind = kindOf(result.reason ?? 'refused');
    const known = kinds.get(kind);
    if (known) known.count++;
    else kinds.set(kind, { first: result, count: 1 });
  }
  return [...kinds].map(([kind, { first: { program, reason }, count }]) => {
    if (kindOf(told).includes(kind)) return count === 1 ? `${program} is left out` : `${count} programs are left out`;
    return `${program}${count === 1 ? '' : ` and ${count - 1} more`}: ${reason ?? 'refused'}`;
  }).join('; ');
}

function paneCheck(pane: PaneId, { status, reason }: PaneState, results: readonly ProgramResult[]): Check {
  if (status !== 'ok') return check('panes', pane, false, reason ?? `it is ${status}`);
  const failed = failedPrograms(results, reason ?? '');
  if (failed !== '' || reason !== null) return check('panes', pane, 'partly', [reason, failed].filter(Boolean).join('; '));
  // Its numbers come from another pane's programs, or from the walk over all tasks.
  if (results.length === 0) return check('panes', pane, true, 'needs no programs of its own');
  return check('panes', pane, true, `all ${results.length} programs load and attach`);
}

export interface CaptureChecks {
  readonly panes: Check[];
  readonly identity: Check[];
}

/** Load every pane's probe, measure for a moment, close; the sources of names answer meanwhile. Never rejects. @param open a manager of its own */
export async function paneChecks(open: () => Manager): Promise<CaptureChecks> {
  let manager;
  let told: Promise<Check[]> = Promise.resolve([]);
  try {
    manager = open();
    told = sourceChecks(manager.identity);
    const frame = await manager.sample(TRIAL_MS);
    const results = manager.results();
    const kernel = results.get('identity') ?? [];
    const failed = failedPrograms(kernel);
    const walked = frame.panes.containers.state.status === 'ok';
    return {
      panes: PANE_IDS.map((pane) => paneCheck(pane, frame.panes[pane].state, results.get(pane === 'containers' ? 'identity' : pane) ?? [])),
      identity: [
        check('identity', 'cgroup', walked && failed === '' ? true : 'partly', walked ? 'ids from the path of every cgroup, names of services' : PATHS_ALONE, failed === '' ? null : failed),
        ...await told,
      ],
    };
  } catch (error) {
    return { panes: PANE_IDS.map((pane) => check('panes', pane, false, reasonOf(error))), identity: await told };
  } finally {
    await manager?.close();
  }
}

/** What is known of who is who where BPF cannot be tried. Never rejects. @param open an identity of its own */
export async function identityChecks(open: () => Identity): Promise<Check[]> {
  let identity;
  try {
    identity = open();
    return [check('identity', 'cgroup', 'partly', PATHS_ALONE), ...await sourceChecks(identity)];
  } catch (error) {
    return [check('identity', 'cgroup', false, reasonOf(error))];
  } finally {
    identity?.close();
  }
}

/** Load a no-op of each program type. */
export async function programChecks(addon: Addon, debug: (text: string) => void): Promise<Check[]> {
  const features = await programFeatures(addon);
  for (const { log } of features) if (log !== '') debug(log);
  return features.map((feature) => featureCheck('programs', feature));
}
