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
const settled: readonly Step[] = [{ waitFor: '6/6 probes' }, { waitFor: 'shop' }, { collectMs: 30_000 }];

/** In one pane, only rows that match. */
const filter = (pane: number, text: string): readonly Step[] => [{ keys: `${pane}` }, { keys: '/' }, { keys: text }, { keys: '\r' }];

/** The demo's own pods, and no files that kbtop itself opens; then back to the first pane. */
const PODS = 'shop|jobs|security';
const demoOnly: readonly Step[] = [...filter(5, PODS), ...filter(3, PODS), ...filter(4, PODS), { keys: '1' }, { collectMs: 1_500 }];

const small = { cols: 80, rows: 24, workload: true, scale: 2 } as const;
const large = { cols: 160, rows: 45, workload: true, scale: 1 } as const;
const trueColour = { COLORTERM: 'truecolor' };

/** Four agents, one of which falls silent. */
const ALL_NODES = ['node_modules/.bin/node', 'screenshots/all-nodes.mjs'] as const;
const cluster: readonly Step[] = [{ waitFor: '4 nodes, 1 late', timeoutMs: 60_000 }, { waitFor: '6/6 probes' }, { collectMs: 25_000 }];

export const SCENARIOS: readonly Scenario[] = [
  { ...small, name: 'top-80x24', steps: [...settled, ...demoOnly] },
  { ...small, name: 'top-80x24-16-colours', env: { TERM: 'xterm' }, steps: [...settled, ...demoOnly] },
  { ...small, name: 'top-80x24-ascii', command: ['bin/kbtop', '--ascii', '--no-color'], steps: [...settled, ...demoOnly] },
  { ...small, name: 'help-80x24', steps: [{ waitFor: '6/6 probes' }, { keys: '?' }, { waitFor: 'rows with a text' }] },
  { ...large, name: 'top-160x45', env: trueColour, steps: [...settled, ...demoOnly] },
  { ...large, name: 'runqueue-160x45', env: trueColour, steps: [...settled, { keys: '2' }, { keys: 'z' }, ...filter(2, PODS), { collectMs: 1_500 }] },
  // Workloads, and the way down from one of them to its processes.
  { ...large, name: 'workloads-160x45', env: trueColour, steps: [...settled, { keys: '5' }, { keys: 'z' }, { keys: 'uu' }, ...filter(5, PODS), { collectMs: 1_500 }] },
  { ...large, name: 'scope-160x45', env: trueColour, steps: [...settled, { keys: '5' }, { keys: 'uu' }, ...filter(5, 'cart'), { collectMs: 1_500 }, { keys: '\r' }, { collectMs: 1_000 }, { keys: '\r' }, { collectMs: 1_000 }, { keys: '\r' }, { collectMs: 20_000 }] },
  // A fault in the cart's connections, while it is armed.
  {
    ...large, name: 'chaos-160x45', env: trueColour, steps: [
      ...settled, ...filter(5, 'cart'), { collectMs: 1_500 }, { keys: '\r' }, { collectMs: 1_000 }, ...filter(1, 'syscall=connect'), { collectMs: 20_000 },
      { keys: 'c' }, { waitFor: 'Preview' }, { keys: '\r' }, { waitFor: 'would have hit' }, { collectMs: 2_000 }, { keys: 'a' }, { waitFor: 'ARM FOR REAL' },
      { keys: 'yes' }, { collectMs: 300 }, { keys: '\r' }, { waitFor: /CHAOS connect.*[1-9]\d*\/100 hits/ }, { collectMs: 700 },
    ],
  },
  // A screen that follows another.
  { ...large, name: 'pairing-160x45', env: trueColour, command: ['node_modules/.bin/node', 'screenshots/pairing.ts'], steps: [{ waitFor: /3 viewers, following root \(pts\/\d+\)[\s\S]*\/shop\|jobs/, timeoutMs: 90_000 }, { collectMs: 30_000 }] },
  { ...small, name: 'viewers-80x24', env: trueColour, command: ['node_modules/.bin/node', 'screenshots/pairing.ts'], steps: [{ waitFor: /3 viewers, following root \(pts\/\d+\)[\s\S]*\/shop\|jobs/, timeoutMs: 90_000 }, { keys: 'V' }, { waitFor: 'looks around' }, { collectMs: 1_000 }] },
  // One pod, by kubectl.
  { ...large, name: 'kubectl-160x45', env: trueColour, command: ['node_modules/.bin/node', 'screenshots/kubectl.ts'], steps: [{ waitFor: '6/6 probes', timeoutMs: 60_000 }, { waitFor: /pod shop.*cart/ }, { collectMs: 30_000 }] },
  // The recording that comes along, held while a store is gone that others connect to.
  { ...large, name: 'replay-160x45', env: trueColour, workload: false, command: ['bin/kbtop', 'replay', 'demo/demo.kbtop', '--at', '+75s', '--paused'], steps: [{ waitFor: '6/6 probes' }, { waitFor: 'PAUSED' }, { waitFor: 'REFUSED' }, { collectMs: 3_000 }] },
  { ...small, name: 'replay-80x24', env: trueColour, workload: false, command: ['bin/kbtop', 'replay', 'demo/demo.kbtop', '--at', '+75s', '--paused'], steps: [{ waitFor: 'PAUSED' }, { collectMs: 3_000 }] },
  // The whole cluster, one node of which has fallen silent; then the nodes themselves.
  { ...large, name: 'all-nodes-160x45', command: ALL_NODES, env: trueColour, steps: [...cluster, { keys: '5' }, { collectMs: 6_500 }] },
  { ...large, name: 'nodes-160x45', command: ALL_NODES, env: trueColour, steps: [...cluster, { keys: 'N' }, { collectMs: 1_500 }] },
  { ...small, name: 'namespaces-80x24', steps: [...settled, { keys: 'n' }, { collectMs: 1_000 }] },
];
