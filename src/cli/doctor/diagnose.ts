/** All checks, in the order in which they are shown. */
import type { Addon } from '../../bpf/addon.ts';
import { systemFeatures } from '../../bpf/features.ts';
import { loadAddon } from '../../bpf/load.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { openCapture, openIdentity } from '../capture.ts';
import type { SourceSettings } from '../settings.ts';
import { type CaptureChecks, TRIAL_MS, identityChecks, paneChecks, programChecks } from './capture.ts';
import { chaosChecks } from './chaos.ts';
import type { Usable } from '../../chaos/select.ts';
import type { BackendName } from '../../chaos/backends.ts';
import { kernelCapabilities } from '../../chaos/engine/capabilities.ts';
import type { Obstacle } from '../preflight.ts';
import { type Check, GROUPS, check, reasonOf } from './check.ts';
import { ladderChecks } from './ladder.ts';
import { cgroupChecks, featureChecks, memlockCheck, terminalChecks, versionChecks } from './system.ts';

/** @param obstacle why BPF cannot be tried at all; null: try */
export async function diagnose(obstacle: Obstacle | null, sources: SourceSettings, debug: (text: string) => void): Promise<Check[]> {
  const system = systemFeatures();
  let addon: Addon | null = null;
  let libbpf: string | { readonly reason: string };
  try {
    addon = loadAddon();
    libbpf = addon.libbpfVersion;
  } catch (error) {
    libbpf = { reason: reasonOf(error) };
  }
  const why = obstacle ?? (typeof libbpf === 'string' ? null : { reason: libbpf.reason, fix: null });
  let backends: Readonly<Record<BackendName, Usable>> | null = null;
  let programs: Check[] = [check('programs', 'program types', null, 'not tried: see the panes')];
  let capture: CaptureChecks;
  if (addon && why === null) {
    // One after the other: both take the kernel's verifier for themselves, and the probes' own refusals stay apart in the log.
    programs = await programChecks(addon, debug);
    ({ backends } = await kernelCapabilities(addon, debug));
    capture = await paneChecks(() => openCapture({ intervalMs: TRIAL_MS, sources, debug }));
  } else {
    capture = {
      panes: PANE_IDS.map((pane) => check('panes', pane, false, why?.reason ?? 'not tried', why?.fix)),
      identity: await identityChecks(() => openIdentity({ sources, debug })),
    };
  }
  const all = [
    ...capture.panes,
    ...ladderChecks(),
    ...chaosChecks(backends, why?.reason ?? 'not tried'),
    ...capture.identity,
    ...featureChecks(system), memlockCheck(),
    ...programs,
    ...cgroupChecks(),
    ...terminalChecks(),
    ...versionChecks(libbpf),
  ];
  return GROUPS.flatMap((group) => all.filter((one) => one.group === group));
}
