/** The screen's controller over a node and a door that do not exist; time is the test's (vi.useFakeTimers). */
import { vi } from 'vitest';
import type { ChaosCapabilities } from '../../../src/chaos/select.ts';
import type { NodeFacts } from '../../../src/chaos/node-warnings.ts';
import { Controller } from '../../../src/ui/controller.ts';
import type { Panel } from '../../../src/ui/chaos/model.ts';
import type { State } from '../../../src/ui/model.ts';
import type { UiOptions } from '../../../src/ui/options.ts';
import { drawScreen } from '../../../src/ui/screen.ts';
import { FULL } from '../../chaos/capabilities-fixture.ts';
import { plain } from '../cells.ts';
import { FakeNode, fakeSource, type FakeSource } from '../fixtures.ts';
import { OPTIONS } from '../states.ts';
import { FakeDoor } from './fake-door.ts';

/** Pod and container of the first row of the fixtures. */
export const POD = 'web-5d9f6c7b8-iz6xk';
export const TARGET = `shop/${POD}/nginx`;

export interface RigOptions {
  readonly capabilities?: ChaosCapabilities;
  readonly options?: Partial<UiOptions>;
  readonly size?: State['size'];
  readonly node?: Partial<NodeFacts>;
  /** The screen is not given the door. */
  readonly doorless?: boolean;
}

export class Rig {
  readonly door: FakeDoor;
  readonly source: FakeSource;
  readonly controller: Controller;
  /** Exit codes that leaving has given. */
  readonly left: number[] = [];

  constructor({ capabilities = FULL, options = {}, size = { width: 120, height: 40 }, node = {}, doorless = false }: RigOptions = {}) {
    this.source = fakeSource(new FakeNode());
    const frame = this.source.emit();
    this.door = new FakeDoor({ capabilities, containers: () => frame.containers, node });
    this.controller = new Controller(this.source, { options: { ...OPTIONS, chaos: doorless ? null : this.door, ...options }, can: this.source.can, size, symbols: 'braille', depth: 0 }, { quit: (code) => void this.left.push(code), suspend: () => {}, redraw: () => {} });
    this.controller.connect((error) => { throw error; });
  }

  get state(): State {
    return this.controller.store.getState();
  }

  get panel(): Panel | null {
    return this.state.chaos?.panel ?? null;
  }

  /** Keys by name, without waiting for anything. */
  press(...keys: readonly string[]): this {
    for (const name of keys) this.controller.input([{ kind: 'key', key: { name, text: [...name].length === 1 ? name : '' } }]);
    return this;
  }

  type(text: string): this {
    return this.press(...text);
  }

  /** Long enough for the door to be asked and to answer, and for its news to be told. */
  async settle(ms = 400): Promise<this> {
    await vi.advanceTimersByTimeAsync(ms);
    return this;
  }

  get lines(): readonly string[] {
    return drawScreen(this.state).map(plain);
  }

  get screen(): string {
    return this.lines.join('\n');
  }

  /** Text without frames and line breaks, as a person reads it. */
  get read(): string {
    return this.screen.replace(/[│┃╭╮╰╯─▶]/g, ' ').replace(/\s+/g, ' ');
  }

  /** The panel on a container of the shop, with this in its fields. */
  async form(call: string, more: Readonly<Record<string, string>> = {}): Promise<this> {
    this.press('c');
    for (const [field, text] of Object.entries({ target: TARGET, call, ...more })) {
      for (let i = 0; i < 30 && this.panel?.field !== field; i++) this.press('tab');
      this.type(text);
    }
    return this.settle();
  }

  /** From the form to a fault that acts. */
  async arm(typed = 'yes'): Promise<this> {
    await this.press('enter').settle();
    this.press('a').type(typed).press('enter');
    return this.settle();
  }

  end(): void {
    this.controller.disconnect();
  }
}
