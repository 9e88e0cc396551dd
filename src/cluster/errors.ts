/** What can go wrong with a cluster beyond a request that fails, for people. */

/** not found: no such node, pod or container. impossible: it is there, but cannot be shown or done so. failed: it went wrong. usage: it was asked for wrongly. */
export type TroubleKind = 'not found' | 'impossible' | 'failed' | 'usage';

/** Its message is one line: what failed, why, what to do. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  readonly kind: TroubleKind;

  constructor(kind: TroubleKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
