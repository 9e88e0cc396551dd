/** What the state cannot do itself: asked for by update.ts, done by the store. */
import type { Rule } from '../chaos/rule.ts';
import type { Frame, Level, PaneId } from '../frame/frame.ts';
import type { CompanyEffect } from './company/update.ts';
import type { Go } from './travel/model.ts';

export type Effect =
  | { readonly kind: 'quit'; readonly code: number }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'redraw' }
  | { readonly kind: 'interval'; readonly ms: number }
  | { readonly kind: 'level'; readonly pane: PaneId; readonly level: Level | 'off' }
  | { readonly kind: 'save'; readonly frame: Frame }
  | { readonly kind: 'travel'; readonly go: Go }
  /** All that is held, as a recording. */
  | { readonly kind: 'saveTimeline' }
  | { readonly kind: 'reset' }
  | CompanyEffect
  | { readonly kind: 'chaosCapabilities' }
  /** What the door thinks of a rule, once nobody changes it any more; null: of none. */
  | { readonly kind: 'chaosPlan'; readonly rule: Rule | null; readonly serial: number }
  /** Count what the rule would hit. */
  | { readonly kind: 'chaosDryRun'; readonly rule: Rule; readonly serial: number }
  /** End that dry run and arm its rule for real. @see confirm */
  | { readonly kind: 'chaosArm'; readonly rule: Rule; readonly dryRun: number; readonly typed: string | null; readonly serial: number }
  | { readonly kind: 'chaosEnd'; readonly id: number }
  | { readonly kind: 'chaosStopAll' };
