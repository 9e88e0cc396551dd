/** What one side of a session may ask of the other: sizes, numbers and times. */

/** Raised when a message changes its meaning; both sides must have the same. */
export const PROTOCOL = 1;

/** A Frame as it travels, and unpacked: a node of a thousand containers has some hundred KiB and some MiB. Bytes. */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024;
export const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
/** What a driver shares, as JSON: it is some hundred bytes. */
export const MAX_VIEW_BYTES = 16 * 1024;
/** Lists in lists in a shared view. */
export const MAX_VIEW_DEPTH = 8;
/** Questions about faults that one viewer may have open. */
export const MAX_OPEN_ASKS = 16;

/** A signed-on side says that it is alive this often; milliseconds. */
export const BEAT_MS = 1000;
/** The server is taken for gone when it was silent for so long; milliseconds. */
export const SERVER_SILENCE_MS = 10_000;
/** From the connection to the welcome; milliseconds. */
export const HANDSHAKE_MS = 5000;

/** What a server bears of a viewer; milliseconds. */
export interface Patience {
  /** From the connection to the sign-on, and from a message's first byte to its last. */
  readonly messageMs: number;
  /** Without a sign of life, or without taking the Frame that was sent. */
  readonly silenceMs: number;
  /** Without a sign of life while faults are armed for it. A screen of its own has two seconds, without a network between. */
  readonly holderMs: number;
}

export const PATIENCE: Patience = { messageMs: HANDSHAKE_MS, silenceMs: 30_000, holderMs: 3000 };
/** The driver's view and who is there go out at most so often; milliseconds. */
export const SHARE_EVERY_MS = 100;

/** Viewers at once, and of them of one user: whoever leaves terminals open must not keep others out. */
export const MAX_VIEWERS = 64;
export const MAX_VIEWERS_OF_ONE = 32;
