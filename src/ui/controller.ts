/** Between the source of Frames and the store: history, pause, and what the keys ask for. */
import type { Frame } from '../frame/frame.ts';
import type { FrameSource } from '../frame/source.ts';
import { type ChaosEffect, ChaosDriver } from './chaos/driver.ts';
import { CompanyDriver } from './company/driver.ts';
import type { Effect } from './effects.ts';
import { History } from './history/history.ts';
import type { InputEvent } from './keys.ts';
import type { Start } from './model.ts';
import { initialState } from './model.ts';
import { saveFrame } from './save.ts';
import { StaleClock } from './stale.ts';
import { Store } from './store.ts';
import type { Role } from './theme.ts';
import { Traveller } from './travel/driver.ts';

/** What the terminal does for the screen. */
export interface Host {
  quit(code: number): void;
  suspend(): void;
  redraw(): void;
}

/** How much later than its interval the first Frame may be, milliseconds: what measures takes its time to start. */
const START_MS = 3000;

export class Controller {
  readonly store: Store;
  readonly #source: FrameSource;
  readonly #host: Host;
  readonly #history = new History();
  /** Null: no fault can be armed from this screen. */
  readonly #chaos: ChaosDriver | null;
  /** Null: this screen is alone. */
  readonly #company: CompanyDriver | null;
  readonly #clock = new StaleClock((ms) => this.store.dispatch({ type: 'silent', ms }));
  readonly #traveller: Traveller;
  readonly #options: Start['options'];
  #latest: Frame | null = null;
  #unsubscribe: () => void = () => {};
  #untrouble: () => void = () => {};

  constructor(source: FrameSource, start: Start, host: Host) {
    this.#source = source;
    this.#host = host;
    this.#options = start.options;
    this.store = new Store(initialState({ now: Date.now(), ...start }), (effect) => this.#perform(effect));
    const history = this.#history, latest = (): Frame | null => this.#latest;
    const { chaos, company, readOnly, permits, timeline = null, replay = null, onLive } = start.options;
    this.#company = company == null ? null : new CompanyDriver(company, this.store);
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
    if (this.#latest === null) this.#clock.heard(this.store.getState().intervalMs + START_MS);
    this.#untrouble = this.#source.onTrouble?.((reason) => this.#trouble(reason)) ?? this.#untrouble;
    this.#traveller.start();
    this.#chaos?.connect();
    this.#company?.connect();
    this.#source.done.then(() => {
      this.#clock.stop();
      this.store.dispatch({ type: 'ended', reason: 'END' });
    }, failed);
  }

  disconnect(): void {
    this.#unsubscribe();
    this.#untrouble();
    this.#traveller.stop();
    this.#chaos?.disconnect();
    this.#company?.disconnect();
    this.#clock.stop();
  }

  input(events: readonly InputEvent[]): void {
    const now = Date.now();
    this.store.dispatch(...events.map((event) => ({ type: 'input', event, now }) as const));
  }

  /** The last Frame stays on screen while the source stands still, and says that it does. */
  #trouble(reason: string | null): void {
    this.store.dispatch({ type: 'ended', reason: reason === null ? null : 'LOST' });
    if (reason === null) this.#tell('the session is back', 'ok');
    else this.#tell(`${reason}; trying again`, 'bad');
  }

  #frame(frame: Frame): void {
    const { intervalMs } = this.#source;
    if (intervalMs !== undefined) this.store.dispatch({ type: 'interval', ms: intervalMs });
    this.#latest = frame;
    this.#clock.heard(Math.max(frame.intervalMs, this.store.getState().intervalMs));
    this.#readCan();
    this.#history.push(frame);
    if (this.store.getState().silentMs !== null) this.store.dispatch({ type: 'silent', ms: null });
    if (!this.#traveller.arrived()) this.#show();
  }

  /** A source that is attached to another may be told other things after it has found its way back. */
  #readCan(): void {
    const { can } = this.store.getState();
    const { setInterval, setLevel } = this.#source.can;
    if (can.setInterval !== setInterval || can.setLevel !== setLevel) this.store.dispatch({ type: 'can', can: { setInterval, setLevel } });
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
      case 'companyDrive': return this.#company?.perform(effect);
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
