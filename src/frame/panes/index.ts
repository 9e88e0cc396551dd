/** All panes in the order of their numbers. A new pane adds its line here. */
import type { PaneDef } from '../columns.ts';
import type { PaneId } from '../frame.ts';
import { containers } from './containers.ts';
import { opens } from './opens.ts';
import { processes } from './processes.ts';
import { runqueue } from './runqueue.ts';
import { syscalls } from './syscalls.ts';
import { tcp } from './tcp.ts';

export const PANES = { syscalls, runqueue, opens, tcp, containers, processes } as const satisfies { [P in PaneId]: PaneDef<P> };

export const PANE_IDS = Object.keys(PANES) as readonly PaneId[];
