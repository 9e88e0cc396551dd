/** A short message in the last line. */
import type { State } from '../model.ts';
import type { Role } from '../theme.ts';

/** Milliseconds that a message stays unless a key takes it away. */
const STAYS_MS = 6000;

export const tell = (state: State, text: string, role: Role, now: number): State => ({ ...state, message: { text, role, until: now + STAYS_MS } });
