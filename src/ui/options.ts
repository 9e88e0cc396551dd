/** What the command line tells the screen. */
import type { ChaosDoor, Permits } from '../chaos/door.ts';
import type { Company } from '../frame/company.ts';
import type { PaneId } from '../frame/frame.ts';
import type { Timeline } from '../frame/timeline.ts';
import type { Scope } from './scope.ts';
import type { Role } from './theme.ts';

/** auto: as the terminal and NO_COLOR say; always: at least 16 colours, whatever NO_COLOR says. */
export type ColorWish = 'auto' | 'always' | 'never' | '16' | '256' | 'true';

/** A recording is shown, and nothing live. */
export interface ReplayOptions {
  /** One word for the header: REPLAY. */
  readonly label: string;
  /** Time of the Frame to begin with, milliseconds since the epoch; null: the first one. */
  readonly at: number | null;
  /** 1 is as it was. */
  readonly speed: number;
  /** Stand still at first. */
  readonly paused: boolean;
  /** Said at the start, the first one at least: what of the file cannot be read, what this is. Raw. */
  readonly notes: readonly string[];
  readonly notesRole: Role;
  /** Said when its end is reached. Raw. */
  readonly endHint: string;
}

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
  /** Frames to go back to: with a live source it holds each Frame before the screen is given it. Null or absent: the screen can only be held. */
  readonly timeline?: Timeline | null;
  /** The timeline is a recording, and the source brings nothing; null or absent: the source is live. */
  readonly replay?: ReplayOptions | null;
  /** Keep what a timeline holds as a recording. @returns the file's name; rejects with why not. Absent: there is no key for it */
  readonly saveTimeline?: (timeline: Timeline) => Promise<string>;
  /** Called when the screen has come back from the past: what was decoded for it may go. */
  readonly onLive?: () => void;
  /** Called once when the first screen stands: the moment to begin what takes time. What it throws ends the screen like a crash. */
  readonly onScreen?: () => void;
}
