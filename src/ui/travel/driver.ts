/** Moves the screen in time: what keys ask for, the clock of what is played, and the work that a move leaves to do. */
import type { Frame } from '../../frame/frame.ts';
import type { Timeline } from '../../frame/timeline.ts';
import type { History } from '../history/history.ts';
import type { ReplayOptions } from '../options.ts';
import type { Shown, State } from '../model.ts';
import type { Role } from '../theme.ts';
import type { Action } from '../update.ts';
import { Gaps } from './gaps.ts';
import type { Go, Travel } from './model.ts';
import { resolveMoment, spanText } from './moment.ts';
import { type Live, Past } from './past.ts';
import { nextSpeed, speedText, stay } from './playback.ts';

/** Work between two looks at the keyboard, and the pause for whatever else there is: at least this long, and as long as the work took. Milliseconds. */
const SLICE_MS = 8;
/** Steps that follow each other at once come before charts that are whole anyway, or nearly: what reads far away makes a timeline forget what is near. Milliseconds. */
const CALM_MS = 200;
/** Charts that are still growing are drawn this often, milliseconds. */
const REDRAW_MS = 120;
/** Frames taken at once when the clock of what is played has run ahead; what is late then plays later. */
const AT_ONCE = 16;

/** What the screen has of the live source. */
export interface Present {
  readonly frame: Frame | null;
  readonly history: History;
}

export interface Surroundings {
  /** Null: there is none, so that the screen can only be held. */
  readonly timeline: Timeline | null;
  /** The timeline is a recording: there is nothing else. */
  readonly replay: ReplayOptions | null;
  readonly present: Present;
  /** Nobody looks at the past any more. */
  readonly onLive?: (() => void) | undefined;
  readonly state: () => State;
  readonly dispatch: (action: Action) => void;
}

interface Message {
  readonly text: string;
  readonly role: Role;
}

export class Traveller {
  readonly #around: Surroundings;
  readonly #gaps: Gaps | null;
  #past: Past | null = null;
  /** What is held while there is no timeline, and what came since. */
  #held: { readonly shown: Shown | null; newer: number } | null = null;
  #playing = false;
  #speed = 1;
  /** When the next Frame is due, milliseconds. */
  #due = 0;
  #clock: NodeJS.Timeout | undefined;
  #worker: NodeJS.Timeout | undefined;
  #drawnAt = 0;
  #saidOldest = false;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#gaps = around.timeline && new Gaps(around.timeline);
    this.#speed = around.replay?.speed ?? 1;
  }

  /** Begin: a recording is shown from where it was asked for. */
  start(): void {
    const { timeline, replay } = this.#around;
    if (timeline === null || replay === null || timeline.end <= timeline.first) return;
    const [note, ...more] = replay.notes;
    const message: Message | undefined = note === undefined ? undefined : { text: more.length > 0 ? `${note} (and ${more.length} more)` : note, role: replay.notesRole };
    this.#playing = !replay.paused;
    this.#to(replay.at === null ? timeline.first : timeline.indexAt(replay.at), message);
  }

  stop(): void {
    clearTimeout(this.#clock);
    clearTimeout(this.#worker);
  }

  /** A Frame has come from the source, and is in the timeline. @returns whether the screen is elsewhere */
  arrived(): boolean {
    const { timeline } = this.#around;
    if (this.#held !== null) {
      this.#held.newer += 1;
      this.#tell();
      return true;
    }
    if (this.#past === null || timeline === null) return false;
    if (this.#past.index < timeline.first) {
      const message: Message | undefined = this.#saidOldest ? undefined : { text: 'older Frames have been let go of: this is the oldest that is still in memory', role: 'warn' };
      this.#saidOldest = true;
      this.#to(timeline.first, message);
    } else this.#tell();
    return true;
  }

  /** History and sums start anew. @returns whether that is told by what is on screen already */
  reset(): void {
    if (this.#past === null) return;
    this.#past.reset();
    this.#tell(this.#past.shown);
  }

  go(go: Go): void {
    const { timeline } = this.#around;
    if (timeline === null || timeline.end <= timeline.first) return this.#hold(go);
    const at = this.#past?.index ?? timeline.end - 1;
    switch (go.kind) {
      case 'pause': return this.#rest(at);
      case 'play': return this.#play(timeline, at);
      case 'live': return this.#live(timeline);
      case 'oldest': return this.#to(timeline.first);
      case 'frames': return this.#by(timeline, at, go.by);
      case 'moment': return this.#moment(timeline, at, resolveMoment(go.moment, { from: timeline.time(at), first: timeline.time(timeline.first), last: timeline.time(timeline.end - 1) }));
      case 'time': {
        // The Frame that another looks at, also when it is the newest here: it stands still there. What is not held is told by who follows.
        this.#playing = false;
        clearTimeout(this.#clock);
        return this.#to(timeline.indexAt(go.ms));
      }
      case 'settle': return this.#toil();
      case 'speed': {
        this.#speed = nextSpeed(this.#speed, go.by);
        if (this.#playing) this.#schedule();
        return this.#tell(undefined, { text: `speed ${speedText(this.#speed)}`, role: 'accent' });
      }
    }
  }

  /** Without a timeline: hold, or go on. */
  #hold(go: Go): void {
    const { present, state } = this.#around;
    if ((go.kind === 'pause' || go.kind === 'time') && this.#held === null) {
      const { shown } = state();
      this.#held = { shown: shown && { frame: shown.frame, history: present.history.fork() }, newer: 0 };
      return this.#tell(this.#held.shown);
    }
    if ((go.kind === 'play' || go.kind === 'live') && this.#held !== null) this.#leave();
  }

  #rest(at: number): void {
    this.#playing = false;
    clearTimeout(this.#clock);
    this.#to(at);
  }

  #play(timeline: Timeline, at: number): void {
    const recording = this.#around.replay !== null;
    if (at >= timeline.end - 1 && !recording) return this.#live(timeline);
    this.#playing = true;
    // At its end there is nothing to play but all of it again.
    this.#to(at >= timeline.end - 1 ? timeline.first : at);
  }

  #live(timeline: Timeline, message?: Message): void {
    if (this.#around.replay === null) return this.#leave(message);
    this.#playing = false;
    this.#to(timeline.end - 1, message);
  }

  /** Back to what the source brings. */
  #leave(message?: Message): void {
    const { present, dispatch } = this.#around;
    this.stop();
    this.#past = null;
    this.#held = null;
    this.#playing = false;
    this.#saidOldest = false;
    this.#around.onLive?.();
    dispatch({ type: 'travelled', travel: null, shown: present.frame && { frame: present.frame, history: present.history }, ...(message && { message }), now: Date.now() });
  }

  #by(timeline: Timeline, at: number, by: number): void {
    // One at a time is for looking, also while it plays.
    if (Math.abs(by) === 1) this.#playing = false;
    const last = timeline.end - 1;
    if (this.#past === null && by > 0) return this.#say('this is the newest Frame', 'dim');
    const to = Math.max(timeline.first, Math.min(last, at + by));
    if (to !== at) return this.#to(to);
    this.#rest(at);
    this.#say(by < 0 ? 'this is the oldest Frame' : `this is the ${this.#around.replay === null ? 'newest Frame: $ goes on live' : 'last Frame'}`, 'dim');
  }

  #moment(timeline: Timeline, at: number, ms: number): void {
    const last = timeline.end - 1;
    const first = timeline.time(timeline.first);
    // A little way back is one Frame at least, or it would seem to do nothing.
    const found = timeline.indexAt(ms);
    const to = found === at && ms < timeline.time(at) && at > timeline.first ? at - 1 : found;
    const before = ms < first, after = ms > timeline.time(last) + 1000;
    if (this.#past === null && to === last && this.#around.replay === null) return this.#say('that is now', 'dim');
    this.#to(to, before ? { text: `nothing is held from ${spanText(first - ms)} earlier: this is the oldest Frame`, role: 'warn' } : after ? { text: 'nothing is held from so late: this is the newest Frame', role: 'warn' } : undefined);
  }

  /** Show a Frame of the timeline. */
  #to(index: number, message?: Message): void {
    const { timeline } = this.#around;
    if (timeline === null) return;
    try {
      if (this.#past === null) this.#past = new Past(timeline, index, () => this.#present());
      else this.#past.show(index);
    } catch (error) {
      this.#playing = false;
      // A file is anybody's: its rows are looked at when they are shown.
      return this.#say(`that Frame cannot be read: ${error instanceof TypeError ? 'it has fields of other types than kbtop writes' : (error as Error).message}`, 'bad');
    }
    if (this.#playing) this.#schedule();
    this.#tell(this.#past.shown, message);
    this.#toil();
  }

  /** The live history and the Frame it stands at; null in a recording. */
  #present(): Live | null {
    const { timeline, replay, present: { frame, history } } = this.#around;
    if (timeline === null || replay !== null || frame === null) return null;
    const time = Date.parse(frame.time);
    const index = timeline.indexAt(time);
    return index < timeline.end && timeline.time(index) === time && history.window.last >= history.window.first ? { index, history } : null;
  }

  #say(text: string, role: Role): void {
    this.#tell(undefined, { text, role });
  }

  /** @param shown absent: what is shown already */
  #tell(shown?: Shown | null, message?: Message): void {
    const now = Date.now();
    if (shown) this.#drawnAt = now;
    this.#around.dispatch({ type: 'travelled', travel: this.#travel(), ...(shown !== undefined && { shown }), ...(message && { message }), now });
  }

  #travel(): Travel | null {
    const { timeline } = this.#around;
    const past = this.#past;
    if (this.#held !== null) {
      const time = Date.parse(this.#held.shown?.frame.time ?? '') || 0;
      return { index: 0, first: 0, end: 1 + this.#held.newer, time, firstTime: time, lastTime: time, playing: false, speed: 1, gaps: [], settled: true };
    }
    if (past === null || timeline === null) return null;
    const { first, end } = timeline;
    // What is shown may just have been let go of.
    const time = past.index >= first ? timeline.time(past.index) : Date.parse(past.frame.time);
    return {
      index: past.index, first, end, time, firstTime: timeline.time(first), lastTime: timeline.time(end - 1),
      playing: this.#playing, speed: this.#speed, gaps: this.#gaps?.get() ?? [], settled: past.settled,
    };
  }

  #schedule(): void {
    const { timeline } = this.#around;
    clearTimeout(this.#clock);
    if (timeline === null || this.#past === null) return;
    const { index } = this.#past;
    if (index >= timeline.end - 1) {
      // Live, the next one is about to come: going on with it is being live.
      if (this.#around.replay === null) setImmediate(() => { if (this.#playing) this.#live(timeline, { text: 'live again', role: 'ok' }); });
      else this.#ended();
      return;
    }
    this.#due = performance.now() + stay(timeline, index, this.#speed).ms;
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#clock);
    this.#clock = setTimeout(() => this.#beat(), Math.max(1, this.#due - performance.now()));
  }

  /** The next Frame is due, or several. */
  #beat(): void {
    const { timeline } = this.#around;
    const past = this.#past;
    if (timeline === null || past === null || !this.#playing) return;
    const last = timeline.end - 1;
    const now = performance.now();
    let index = past.index, gap = null;
    for (let n = 0; n < AT_ONCE && index < last && this.#due <= now; n++) {
      gap = stay(timeline, index, this.#speed).gap ?? gap;
      index += 1;
      if (index < last) this.#due += stay(timeline, index, this.#speed).ms;
    }
    if (this.#due <= now) this.#due = now;
    const message: Message | undefined = gap === null ? undefined : { text: `nothing was recorded for ${spanText(gap.ms)}: shortened`, role: 'warn' };
    this.#advance(timeline, index, message);
  }

  #advance(timeline: Timeline, index: number, message: Message | undefined): void {
    const past = this.#past;
    if (past === null) return;
    try {
      past.show(index);
    } catch (error) {
      this.#playing = false;
      return this.#say(`stopped: the next Frame cannot be read: ${(error as Error).message}`, 'bad');
    }
    if (index < timeline.end - 1) {
      this.#tell(past.shown, message);
      this.#wait();
      this.#toil();
    } else if (this.#around.replay === null) this.#live(timeline, { text: 'live again', role: 'ok' });
    else {
      this.#tell(past.shown, message);
      this.#ended();
      this.#toil();
    }
  }

  /** A recording has been played to its end. */
  #ended(): void {
    const { replay } = this.#around;
    this.#playing = false;
    // Told after what is being told now.
    setImmediate(() => { if (this.#past !== null && !this.#playing) this.#say(replay?.endHint ?? '', 'accent'); });
  }

  /** What a move leaves to do, in slices: keys and the live source come in between. */
  #toil(): void {
    clearTimeout(this.#worker);
    this.#worker = setTimeout(() => this.#slice(), this.#past?.whole ? CALM_MS : 1);
  }

  #slice(): void {
    const past = this.#past;
    if (past === null) return;
    const sums = this.#around.state().totals;
    const from = performance.now();
    let more = past.work(sums);
    while (more && performance.now() - from < SLICE_MS) more = past.work(sums);
    const took = performance.now() - from;
    if (!more || Date.now() - this.#drawnAt >= REDRAW_MS) this.#tell(past.shown);
    if (more) this.#worker = setTimeout(() => this.#slice(), Math.max(SLICE_MS, took));
  }
}
