/** The panel on screen: the form and what it comes to, the dry run, the confirmation; and below them the faults. */
import { explainRule } from '../../../chaos/explain.ts';
import type { Piece } from '../../draw/box.ts';
import { drawBox, innerWidth } from '../../draw/box.ts';
import type { Pen } from '../../draw/pen.ts';
import { penOf } from '../../draw/pen.ts';
import { calculateLayout } from '../../layout.ts';
import type { State } from '../../model.ts';
import { blankLine, headingLine, textLines } from '../../overlays/text.ts';
import { leftMs, leftText } from '../armed.ts';
import { chosenFault } from '../keys.ts';
import type { ChaosState, Panel, Stage } from '../model.ts';
import { toBeTyped } from '../panel.ts';
import { endText, faultLines, hitLines } from './faults.ts';
import { choiceLine, formLines, helpLines } from './fields.ts';
import { againstLines, outlookLines, planLines, whyLines } from './plan.ts';

interface Block {
  readonly lines: readonly string[];
  /** Line that must be in sight; null: any. */
  readonly focus: number | null;
}

/** Below so many lines, help takes one. */
const ROOMY = 16;
const HITS = 8;

const errorLines = ({ error }: Panel, pen: Pen, width: number): string[] => (error === null ? [] : [pen.paint('bad', pen.fit(error, width))]);

function formBlock(state: State, panel: Panel, pen: Pen, width: number, height: number): Block {
  const { lines, focus } = formLines(state, panel, pen, width);
  // The list has the keys: the room is its own.
  if (panel.field === 'faults' && !panel.why) return { lines: [...lines, ...errorLines(panel, pen, width)], focus };
  return {
    focus, lines: [
      ...lines, choiceLine(state, panel, pen, width), ...helpLines(state, panel, pen, width, height >= ROOMY ? 2 : 1),
      ...errorLines(panel, pen, width), ...outlookLines(state, panel, pen, width),
    ],
  };
}

function dryBlock(state: State, chaos: ChaosState, panel: Panel, { rule, plan, fault }: Extract<Stage, { kind: 'dry' }>, pen: Pen, width: number): Block {
  const over = fault.state === 'ended';
  const time = over ? `it is over: ${endText(fault)}` : `${leftText(leftMs(fault, chaos.clock))} left`;
  return {
    focus: null, lines: [
      pen.paint('caution', pen.fit(' DRY RUN: it counts, and nothing happens to any call', width)),
      ...textLines(pen, `would have hit ${fault.hits} of ${fault.matched} matching calls; ${time}`, width, 'strong'),
      pen.paint('key', pen.fit('a or Enter goes on to arm it for real; Esc leaves it without anything', width)), ...errorLines(panel, pen, width),
      ...textLines(pen, explainRule(rule), width), ...planLines(state, rule, plan, pen, width), ...(panel.why ? whyLines(plan.selections, pen, width) : []), ...hitLines(chaos, fault.id, pen, width, HITS),
    ],
  };
}

function confirmBlock(chaos: ChaosState, panel: Panel, { rule, plan, fault, typed }: Extract<Stage, { kind: 'confirm' }>, pen: Pen, width: number): Block {
  const field = (): string => {
    const shown = pen.clean(typed);
    const room = Math.max(0, width - 3);
    const text = pen.width(shown) > room ? pen.fit(shown, room, 'left', 'start') : shown;
    const used = 2 + pen.width(text) + 1;
    return width < 4 ? pen.fit(`> ${typed}`, width, 'left', 'start') : `${pen.paint('key', '> ')}${text}${pen.paint('cursor', ' ')}${' '.repeat(Math.max(0, width - used))}`;
  };
  const ask = textLines(pen, `type ${toBeTyped(plan)} and press Enter; Esc goes back`, width, 'strong');
  return {
    focus: 1 + ask.length, lines: [
      pen.paint('alarm', pen.fit(' ARM FOR REAL: calls will fail, wait or end', width)), ...ask, field(), ...errorLines(panel, pen, width),
      ...(plan.confirmation?.reasons ?? []).flatMap((reason) => textLines(pen, reason, width, 'bad')),
      ...textLines(pen, explainRule(rule), width),
      ...textLines(pen, `the dry run would have hit ${fault.hits} of ${fault.matched} matching calls`, width, 'dim'),
      ...againstLines(plan, pen, width), ...hitLines(chaos, fault.id, pen, width, HITS),
    ],
  };
}

function waitBlock(stage: Extract<Stage, { kind: 'starting' | 'arming' }>, pen: Pen, width: number): Block {
  const text = stage.kind === 'starting' ? 'the dry run is being started ...' : 'it is being armed ...';
  return { focus: null, lines: [pen.paint(stage.kind === 'starting' ? 'caution' : 'alarm', pen.fit(` ${text}`, width)), pen.paint('key', pen.fit('Esc takes it back', width)), ...textLines(pen, explainRule(stage.rule), width)] };
}

function upperBlock(state: State, chaos: ChaosState, panel: Panel, pen: Pen, width: number, height: number): Block {
  const { stage } = panel;
  switch (stage.kind) {
    case 'form': return formBlock(state, panel, pen, width, height);
    case 'dry': return dryBlock(state, chaos, panel, stage, pen, width);
    case 'confirm': return confirmBlock(chaos, panel, stage, pen, width);
    case 'starting': case 'arming': return waitBlock(stage, pen, width);
  }
}

/** All lines of the panel. @param height lines that are on screen at once */
function content(state: State, pen: Pen, width: number, height: number): Block {
  const { chaos } = state;
  const panel = chaos?.panel;
  if (chaos === null || !panel || width <= 0) return { lines: [], focus: null };
  const upper = upperBlock(state, chaos, panel, pen, width, height);
  if (panel.stage.kind !== 'form') return upper;
  const head = [blankLine(width), headingLine(pen, 'Faults', width)];
  const list = faultLines(chaos, panel, pen, width);
  const above = upper.lines.length + head.length;
  const hits = hitLines(chaos, chosenFault(chaos.faults, panel)?.id ?? null, pen, width, Math.max(HITS, height - above - list.lines.length - 1));
  return { lines: [...upper.lines, ...head, ...list.lines, ...(hits.length > 0 ? [blankLine(width), ...hits] : [])], focus: list.focus === null ? upper.focus : above + list.focus };
}

function room(state: State): { readonly width: number; readonly height: number } {
  const { panel } = calculateLayout(state);
  return { width: innerWidth(panel?.width ?? 0, 1), height: Math.max(0, (panel?.height ?? 0) - 2) };
}

export const panelPage = (state: State): number => room(state).height;

export function panelLength(state: State): number {
  const { width, height } = room(state);
  return content(state, penOf(0, state.symbols), width, height).lines.length;
}

const STAGE_TITLES: Readonly<Record<Stage['kind'], string>> = { form: 'new fault', starting: 'dry run', dry: 'dry run', confirm: 'arm for real', arming: 'arm for real' };

/** Exactly `height` lines of `width` cells. */
export function drawPanel(state: State, pen: Pen, width: number, height: number): string[] {
  const { chaos } = state;
  const panel = chaos?.panel;
  if (chaos === null || !panel) return [];
  const page = Math.max(0, height - 2);
  const { lines, focus } = content(state, pen, innerWidth(width, 1), page);
  const last = Math.max(0, lines.length - page);
  const least = focus === null ? 0 : focus - page + 1;
  const offset = Math.max(0, Math.min(last, Math.max(panel.scroll, panel.scroll > 0 ? 0 : least)));
  const title: Piece[] = [{ text: 'chaos', role: 'title', rank: 0 }, { text: STAGE_TITLES[panel.stage.kind], role: 'accent', rank: 1 }];
  const facts: Piece[] = [
    ...(lines.length > page ? [{ text: `${offset + 1}-${Math.min(lines.length, offset + page)} of ${lines.length}`, role: 'dim' as const, rank: 1 }] : []),
    ...(chaos.gone === null ? [] : [{ text: 'gone', role: 'bad' as const, rank: 0 }]),
  ];
  return drawBox(pen, { width, height, title, facts, focused: true, pad: 1 }, { lines: lines.slice(offset, offset + page), scroll: { offset, shown: page, total: lines.length, firstLine: 0 } });
}
