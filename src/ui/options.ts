/** What the command line tells the screen. */
import type { ChaosDoor, Permits } from '../chaos/door.ts';
import type { Company } from '../frame/company.ts';
import type { PaneId } from '../frame/frame.ts';
import type { Scope } from './scope.ts';

/** auto: as the terminal and NO_COLOR say; always: at least 16 colours, whatever NO_COLOR says. */
export type ColorWish = 'auto' | 'always' | 'never' | '16' | '256' | 'true';

export interface UiOptions {
  readonly color: ColorWish;
  /** Plain ASCII; without it the locale and TERM decide. */
  readonly ascii: boolean;
  /** Tick length that the source was started with, milliseconds. */
  readonly intervalMs: number;
  /** Leave out every key that changes what is measured or what runs. */
  readonly readOnly: boolean;
  /** What the screen is limited to from start to end (-n, --pod, ...); null is everything. */
  readonly scope: Scope | null;
  /** Filter expressions to start with; a bad one is a usage error of the caller (see filter.ts). */
  readonly filters?: { readonly [P in PaneId]?: string };
  /** Orders to start with, by columns that the screen has; absent: the panes' own. */
  readonly sort?: { readonly [P in PaneId]?: { readonly column: string; readonly descending: boolean } };
  /** Where `w` writes Frames. */
  readonly saveDirectory: string;
  readonly version: string;
  /** What faults are armed through; the caller closes it after the screen. Null, absent or readOnly: the screen knows of no way to arm any. */
  readonly chaos?: ChaosDoor | null;
  /** What rules may do; absent: nothing that must be allowed. */
  readonly permits?: Permits;
  /** Others on the same capture; null or absent: this screen is alone. */
  readonly company?: Company | null;
  /** Called once when the first screen stands: the moment to begin what takes time. What it throws ends the screen like a crash. */
  readonly onScreen?: () => void;
}
