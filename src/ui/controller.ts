/** Between the source of Frames and the store: history, pause, and what the keys ask for. */
import type { Frame } from '../frame/frame.ts';
import type { FrameSource } from '../frame/source.ts';
import { type ChaosEffect, ChaosDriver } from './chaos/driver.ts';
import type { Effect } from './effects.ts';
import { History } from './history/history.ts';
import type { InputEvent } from './keys.ts';
import type { Start } from './model.ts';
import { initialState } from './model.ts';
import { saveFrame } from './save.ts';
import { Store } from './store.ts';
import type { Role } from './theme.ts';
import { Traveller } from './travel/driver.ts';

/** What the terminal does for the screen. */
export interface Host {
  quit(code: number): void;
  suspend(): void;
  redraw(): void;
}

export class Controller {
  readonly store: Store;
  readonly #source: FrameSource;
  readonly #host: Host;
  readonly #history = new History();
  /** Null: no fault can be armed from this screen. */
  readonly #chaos: ChaosDriver | null;
  readonly #traveller: Traveller;
  readonly #options: Start['options'];
  #latest: Frame | null = null;
  #unsubscribe: () => void = () => {};

  constructor(source: FrameSource, start: Start, host: Host) {
    this.#source = source;
    this.#host = host;
    this.#options = start.options;
    this.store = new Store(initialState({ now: Date.now(), ...start }), (effect) => this.#perform(effect));
    const history = this.#history, latest = (): Frame | null => this.#latest;
    const { chaos, readOnly, permits, timeline = null, replay = null, onLive } = start.options;
    this.#traveller = new Traveller({ timeline, replay, onLive, present: { history, get frame() { return latest(); } }, state: this.store.getState, dispatch: (action) => this.store.dispatch(action) });
    this.#chaos = chaos == null || readOnly ? null : new ChaosDriver(chaos, permits ?? { expert: false, allowSystem: false }, (action) => this.store.dispatch(action));
  }

  /** Begin to take Frames. A source that ends leaves its last Frame on screen; one that fails rejects. */
  connect(failed: (error: unknown) => void): void {
    this.#unsubscribe = this.#source.subscribe((frame) => {
      // A source guards itself against its listeners: a bug of ours must not end there, with a screen that stands still.
      try {
        this.#frame(frame);
      } catch (error) {
        failed(error);
      }
    });
    this.#traveller.start();
    this.#chaos?.connect();
    this.#source.done.then(() => this.store.dispatch({ type: 'ended', reason: 'END' }), failed);
  }

  disconnect(): void {
    this.#unsubscribe();
    this.#traveller.stop();
    this.#chaos?.disconnect();
  }

  input(events: readonly InputEvent[]): void {
    const now = Date.now();
    this.store.dispatch(...events.map((event) => ({ type: 'input', event, now }) as const));
  }

  #frame(frame: Frame): void {
    this.#latest = frame;
    this.#history.push(frame);
    if (!this.#traveller.arrived()) this.#show();
  }

  #show(): void {
    if (this.#latest !== null) this.store.dispatch({ type: 'frame', shown: { frame: this.#latest, history: this.#history }, now: Date.now() });
  }

  #tell(text: string, role: Role): void {
    this.store.dispatch({ type: 'message', text, role, now: Date.now() });
  }

  #tellSaved(saved: Promise<string> | undefined): void {
    saved?.then(
      (name) => this.#tell(`saved ${name}`, 'ok'),
      (error: Error) => this.#tell(`not saved: ${error.message}`, 'bad'),
    );
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'quit': {
        this.#chaos?.leave(effect.code !== 0);
        return this.#host.quit(effect.code);
      }
      case 'suspend': return this.#host.suspend();
      case 'redraw': return this.#host.redraw();
      case 'interval': return this.#source.setInterval(effect.ms);
      case 'level': return this.#source.setLevel(effect.pane, effect.level);
      case 'travel': return this.#traveller.go(effect.go);
      case 'saveTimeline': {
        const { timeline, saveTimeline } = this.#options;
        if (timeline) this.#tellSaved(saveTimeline?.(timeline));
        return;
      }
      case 'reset': {
        this.#history.reset();
        this.#traveller.reset();
        if (this.store.getState().travel === null) this.#show();
        return this.#tell('history, totals and losses start anew', 'accent');
      }
      case 'save': {
        return this.#tellSaved(saveFrame(effect.frame, this.#options.saveDirectory));
      }
      default: return this.#chaos?.perform(effect satisfies ChaosEffect);
    }
  }
}
