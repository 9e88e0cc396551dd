/** What a rule would do, from what a Frame shows of its target: hits per second, when the budget is spent, whom it meets. */
import type { Frame } from '../frame/frame.ts';
import { formatRate } from '../frame/units.ts';
import { hitShare } from './decide.ts';
import { ABIS, type Arch, namesOf } from './families.ts';
import type { Rule } from './rule.ts';

export interface Preview {
  /** Calls that the rule is about, per second; null when the syscalls pane does not tell. */
  readonly callsPerSec: number | null;
  readonly hitsPerSec: number | null;
  /** The rule has conditions that rates do not know of: all numbers are upper bounds, times are lower ones. */
  readonly atMost: boolean;
  /** Until the budget is spent, or the last call that may be hit is past; null: not before the rule ends. */
  readonly spentAfterSec: number | null;
  /** Expected when it ends by itself; null when the rate is not known. */
  readonly hits: number | null;
  /** Processes of the target that used the CPU in the interval, by name, the busiest first. */
  readonly processes: readonly string[];
  /** One line. Raw, not escaped. */
  readonly text: string;
}

/** Names that the line tells. */
const NAMED = 2;

function timeText(sec: number): string {
  if (sec < 1) return 'within a second';
  return sec < 120 ? `in ${Math.round(sec)} s` : `in ${Math.round(sec / 60)} min`;
}

function processesText(processes: readonly string[]): string {
  if (processes.length === 0) return 'no process used the CPU';
  const names = [...new Set(processes)];
  const named = names.slice(0, NAMED).join(', ');
  const count = `${processes.length} process${processes.length === 1 ? '' : 'es'}`;
  return names.length > NAMED ? `${count}, among them ${named}` : `${count}: ${named}`;
}

/** Calls that may be hit at most, by skip, every, last and budget. */
function budgetOf({ skip, every, last, maxHits, probability }: Rule): number {
  return last === null ? maxHits : Math.min(maxHits, (Math.floor((last - skip - 1) / every) + 1) * probability);
}

/** @param keys of the containers that the target comes to, without those that are left out */
export function previewOf(frame: Frame, rule: Rule, keys: ReadonlySet<string>, arch: Arch): Preview {
  const { syscalls, processes } = frame.panes;
  const names = new Set(namesOf(rule.syscalls, ABIS[arch]));
  const met = processes.rows.filter(({ container, comm }) => keys.has(container) && (rule.where.comm === null || comm === rule.where.comm)).sort((a, b) => b.cpuPct - a.cpuPct).map(({ comm }) => comm);
  const atMost = rule.kernel !== null || Object.values(rule.where).some((condition) => condition !== null);
  const nothing = { atMost, processes: met, hitsPerSec: null, spentAfterSec: null, hits: null };
  if (syscalls.state.status !== 'ok') return { ...nothing, callsPerSec: null, text: `rate unknown: ${syscalls.state.reason ?? 'the syscalls pane is off'}; ${processesText(met)}` };

  const callsPerSec = syscalls.rows.filter(({ container, syscall }) => keys.has(container) && names.has(syscall)).reduce((sum, { ratePerSec }) => sum + ratePerSec, 0);
  if (callsPerSec === 0) return { ...nothing, callsPerSec, hitsPerSec: 0, hits: 0, text: `no such call just now; ${processesText(met)}` };
  const hitsPerSec = callsPerSec * hitShare(rule);
  const startSec = rule.skip / callsPerSec;
  const budget = budgetOf(rule);
  const durationSec = rule.durationMs / 1000;
  const spent = startSec + budget / hitsPerSec;
  const spentAfterSec = spent < durationSec ? spent : null;
  const hits = Math.min(budget, Math.max(0, durationSec - startSec) * hitsPerSec);
  const rate = `${atMost ? 'at most' : 'about'} ${formatRate(hitsPerSec)}/s`;
  const end = spentAfterSec === null ? `${atMost ? 'at most' : 'about'} ${Math.round(hits)} hits until it ends` : `budget spent ${timeText(spentAfterSec)}${atMost ? ' at the earliest' : ''}`;
  return { callsPerSec, hitsPerSec, atMost, spentAfterSec, hits, processes: met, text: `${rate}, ${end}, ${processesText(met)}` };
}
