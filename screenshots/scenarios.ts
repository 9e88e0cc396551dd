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
const settled: readonly Step[] = [{ waitFor: '5/5 probes' }, { collectMs: 30_000 }];

/** In one pane, only rows that match. */
const filter = (pane: number, text: string): readonly Step[] => [{ keys: `${pane}` }, { keys: '/' }, { keys: text }, { keys: '\r' }];

/** The demo's own pods, and no files that kbtop itself opens; then back to the first pane. */
const demoOnly: readonly Step[] = [...filter(5, 'pod'), ...filter(3, '!MainThread'), { keys: '1' }, { collectMs: 1_500 }];

const small = { cols: 80, rows: 24, workload: true, scale: 2 } as const;
const large = { cols: 160, rows: 45, workload: true, scale: 1 } as const;
const trueColour = { COLORTERM: 'truecolor' };

export const SCENARIOS: readonly Scenario[] = [
  { ...small, name: 'top-80x24', steps: [...settled, ...demoOnly] },
  { ...small, name: 'top-80x24-16-colours', env: { TERM: 'xterm' }, steps: [...settled, ...demoOnly] },
  { ...small, name: 'top-80x24-ascii', command: ['bin/kbtop', '--ascii', '--no-color'], steps: [...settled, ...demoOnly] },
  { ...small, name: 'help-80x24', steps: [{ waitFor: '5/5 probes' }, { keys: '?' }, { waitFor: 'rows with a text' }] },
  { ...large, name: 'top-160x45', env: trueColour, steps: [...settled, ...demoOnly] },
  { ...large, name: 'runqueue-160x45', env: trueColour, steps: [...settled, { keys: '2' }, { keys: 'z' }, ...filter(2, 'pod'), { collectMs: 1_500 }] },
  // One container in all panes, found by its host name.
  { ...large, name: 'scope-160x45', env: trueColour, steps: [{ waitFor: '5/5 probes' }, ...filter(5, 'cart'), { collectMs: 1_500 }, { keys: '\r' }, { collectMs: 30_000 }] },
];
