/**
 * Those who look at one capture together. A screen that is alone has no company; one that is attached to a shared
 * session has this, and knows no more of the session than this.
 */

/** One terminal on the session. */
export interface Viewer {
  readonly id: number;
  /** Who, for people: user and terminal. Raw. */
  readonly name: string;
  /** As the kernel tells it of the other end; null behind a stream that has none. */
  readonly uid: number | null;
  /** Its view is the one that others follow; at most one does. */
  readonly drives: boolean;
  readonly follows: boolean;
  /** May arm faults and change levels and the interval. */
  readonly control: boolean;
  /** Frames it did not get, since it was too slow for them. */
  readonly skipped: number;
}

/**
 * What of a screen others may follow: pane, selection, filter, pause, ... Plain JSON of the screen's own making. The
 * session bounds its size and looks no further; the screen that receives it checks every field.
 */
export type SharedView = Readonly<Record<string, unknown>>;

export interface Company {
  /** Which of the viewers this is; null until the session has told. */
  readonly self: number | null;
  /** Everybody, this one among them, in the order they came. */
  readonly viewers: readonly Viewer[];
  /** What the driver shared last; null while nobody drives. */
  readonly view: SharedView | null;
  /** Take the wheel, or let go of it. The last one who takes it has it. */
  drive(on: boolean): void;
  /** Tell the others whether this screen follows the driver. */
  follow(on: boolean): void;
  /** Goes to those who follow, bundled: call it as often as the view changes. Ignored while another drives. */
  share(view: SharedView): void;
  /** `viewers`: who is there or what they do has changed; `view`: the driver's view has. */
  subscribe(listener: (change: 'viewers' | 'view') => void): () => void;
}
