/** Why a session cannot be had, or was lost for good: one line that says what to do. */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  /** absent: nobody is there (any more), which may change; refused: not for this user or this kbtop; failed: anything else. */
  readonly kind: 'absent' | 'refused' | 'failed';

  constructor(kind: SessionError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
