/** What a scraper's Accept and Accept-Encoding come to. */
import type { TextFormat } from '../../output/exposition.ts';

interface Choice {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly q: number;
}

/** Longer headers are no scraper's; the rest of them is not read. */
const MOST_CHOICES = 32;

function choices(header: string): Choice[] {
  return header.split(',', MOST_CHOICES).map((text) => {
    const [value = '', ...rest] = text.split(';').map((part) => part.trim());
    const parameters = new Map(rest.map((part) => {
      const [name = '', ...parts] = part.split('=');
      return [name.trim().toLowerCase(), parts.join('=').trim().replace(/^"(.*)"$/, '$1')] as const;
    }));
    const q = parameters.has('q') ? Number(parameters.get('q')) : 1;
    return { value: value.toLowerCase(), parameters, q: q >= 0 && q <= 1 ? q : 0 };
  });
}

const best = (list: readonly Choice[], fits: (choice: Choice) => boolean): number => list.reduce((most, choice) => (fits(choice) ? Math.max(most, choice.q) : most), 0);

/** OpenMetrics where it is asked for by name, as Prometheus does; a browser and curl get the text that has always been. */
export function negotiateFormat(accept: string | undefined): TextFormat {
  const list = choices(accept ?? '');
  const open = best(list, ({ value, parameters }) => value === 'application/openmetrics-text' && (parameters.get('version') ?? '1.0.0') === '1.0.0');
  const plain = best(list, ({ value, parameters }) => value === 'text/plain' && (parameters.get('version') ?? '0.0.4') === '0.0.4');
  return open > 0 && open >= plain ? 'openmetrics' : 'prometheus';
}

export function wantsGzip(acceptEncoding: string | undefined): boolean {
  const list = choices(acceptEncoding ?? '');
  const named = list.some(({ value }) => value === 'gzip');
  return best(list, ({ value }) => value === (named ? 'gzip' : '*')) > 0;
}
