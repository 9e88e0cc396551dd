/** What `npm run screenshots` takes pictures of. */

export type Step =
  /** Type. */
  | { readonly keys: string }
  /** Until the screen shows this; the default deadline is 30 s. */
  | { readonly waitFor: string | RegExp; readonly timeoutMs?: number }
  /** Let the program collect for a while: charts need history. */
  | { readonly collectMs: number };

export interface Scenario {
  /** File name without .png. */
  readonly name: string;
  readonly cols: number;
  readonly rows: number;
  /** Below the repository; default bin/kbtop. */
  readonly command?: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Run the demo workload meanwhile. */
  readonly workload: boolean;
  readonly steps: readonly Step[];
  /** Pixels per unit; a cell is 10 by 20 units. */
  readonly scale: number;
}

/** All panes are up and the charts have some history. */
const settled: readonly Step[] = [{ waitFor: 'syscalls' }, { waitFor: /openat|read|epoll/ }, { collectMs: 20_000 }];

const small = { cols: 80, rows: 24, workload: true, scale: 2 } as const;
const large = { cols: 160, rows: 45, workload: true, scale: 1 } as const;
const trueColour = { COLORTERM: 'truecolor' };

export const SCENARIOS: readonly Scenario[] = [
  { ...small, name: 'top-80x24', steps: settled },
  { ...small, name: 'top-80x24-16-colours', env: { TERM: 'xterm' }, steps: settled },
  { ...small, name: 'top-80x24-ascii', command: ['bin/kbtop', '--ascii', '--no-color'], steps: settled },
  { ...small, name: 'help-80x24', steps: [...settled.slice(0, 2), { keys: '?' }, { waitFor: /quit/i }] },
  { ...large, name: 'top-160x45', env: trueColour, steps: settled },
  { ...large, name: 'runqueue-160x45', env: trueColour, steps: [...settled, { keys: '2' }, { keys: 'z' }, { collectMs: 2_000 }] },
];
