/** A heat map: one painted line per row of cells, hotter is more. */
import type { Pen } from './pen.ts';

/** Steep enough to show one wait among a hundred thousand, flat enough to tell the many from the most. */
const GAMMA = 0.4;

/** Step 0 (nothing) .. steps of a value on a scale that ends at `top`. */
export function heatStep(value: number, top: number, steps: number): number {
  if (!(value > 0) || !(top > 0)) return 0;
  return Math.max(1, Math.min(steps, Math.ceil((value / top) ** GAMMA * steps)));
}

/** One line of cells. @param top value of the hottest step */
export function heatLine(pen: Pen, values: ArrayLike<number>, top: number): string {
  const { heat } = pen.theme;
  const { shades, set } = pen.symbols;
  const colored = heat.length > 0;
  const steps = colored ? heat.length : shades.length - 1;
  const block = set === 'ascii' ? '#' : '█';
  let line = '', run = '', runStep = -1;
  const flush = (): void => {
    if (run !== '') line += colored && runStep > 0 ? pen.sgr(heat[runStep - 1] ?? '', run) : run;
    run = '';
  };
  for (let i = 0; i < values.length; i++) {
    const step = heatStep(values[i] as number, top, steps);
    if (step !== runStep) {
      flush();
      runStep = step;
    }
    run += step === 0 ? ' ' : colored ? block : (shades[step] ?? ' ');
  }
  flush();
  return line;
}
