/** What the state cannot do itself: asked for by update.ts, done by the store. */
import type { Frame, Level, PaneId } from '../frame/frame.ts';

export type Effect =
  | { readonly kind: 'quit'; readonly code: number }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'redraw' }
  | { readonly kind: 'interval'; readonly ms: number }
  | { readonly kind: 'level'; readonly pane: PaneId; readonly level: Level | 'off' }
  | { readonly kind: 'save'; readonly frame: Frame }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'reset' };
