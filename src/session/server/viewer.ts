/** Somebody who has signed on: what of the session goes to this one, and waits while it does not read. */
import type { SharedView, Viewer as ViewerInfo } from '../../frame/company.ts';
import type { FaultStatus } from '../../chaos/door.ts';
import type { Hit } from '../../chaos/hit.ts';
import type { ChaosTold } from '../protocol/messages.ts';
import type { Connection } from './connection.ts';
import { FrameSlot } from './frame-slot.ts';
import type { Packer } from './packer.ts';
import type { Visitor } from './visits.ts';

export interface ViewerFacts {
  readonly id: number;
  readonly name: string;
  readonly uid: number;
  readonly control: boolean;
  readonly visitor: Visitor;
}

export class Viewer {
  readonly about: ViewerFacts;
  readonly connection: Connection;
  readonly frames: FrameSlot;
  /** Questions about faults that wait for an answer. */
  asks = 0;
  /** Latest states that it was not told yet. */
  #company: readonly ViewerInfo[] | null = null;
  #view: { readonly view: SharedView | null } | null = null;
  #interval: number | null = null;
  readonly #faults = new Map<number, FaultStatus>();
  /** Hits that it was not told, by fault. */
  readonly #lost = new Map<number, number>();

  constructor(about: ViewerFacts, connection: Connection, packer: Packer) {
    this.about = about;
    this.connection = connection;
    this.frames = new FrameSlot(packer, (bytes) => connection.write(bytes));
    connection.onDrain = () => this.flush();
  }

  tellCompany(viewers: readonly ViewerInfo[]): void {
    this.#company = viewers;
    this.flush();
  }

  tellView(view: SharedView | null): void {
    this.#view = { view };
    this.flush();
  }

  tellInterval(ms: number): void {
    this.#interval = ms;
    this.flush();
  }

  tellFault(fault: FaultStatus): void {
    this.#faults.set(fault.id, fault);
    this.flush();
  }

  tellHit(fault: number, hit: Hit): void {
    if (this.connection.full) this.#lost.set(fault, (this.#lost.get(fault) ?? 0) + 1);
    else this.#tell({ t: 'hit', fault, hit });
  }

  /** An answer, or the end of all faults. */
  answer(told: ChaosTold): void {
    if (this.connection.send({ kind: 'chaos', told }) || this.connection.over || !('id' in told)) return;
    this.#tell({ t: 'error', id: told.id, kind: 'failed', message: 'the answer is larger than a session takes' });
  }

  #tell(told: ChaosTold): void {
    this.connection.send({ kind: 'chaos', told });
  }

  /** What waited, as far as it is read. */
  flush(): void {
    const { connection } = this;
    if (connection.full) return;
    const company = this.#company, view = this.#view, interval = this.#interval;
    this.#interval = null;
    this.#company = null;
    this.#view = null;
    if (interval !== null) connection.send({ kind: 'interval', ms: interval });
    if (company !== null) connection.send({ kind: 'company', viewers: company });
    if (view !== null) connection.send({ kind: 'view', view: view.view });
    const faults = [...this.#faults.values()];
    this.#faults.clear();
    for (const fault of faults) this.#tell({ t: 'fault', fault: { ...fault, lost: fault.lost + (this.#lost.get(fault.id) ?? 0) }, audit: null });
  }

  end(): void {
    this.frames.end();
    this.#faults.clear();
  }
}
