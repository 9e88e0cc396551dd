/** Asks whether a fault is really meant: a yes, or the target's name. */
import { createInterface } from 'node:readline';
import type { Plan } from '../../chaos/door.ts';
import { escapeForTerminal } from '../../frame/escape.ts';
import { EXIT, KbtopError, usageError } from '../errors.ts';

export interface Consent {
  readonly yes: boolean;
  /** --confirm */
  readonly typed: string | null;
  /** Somebody can be asked; null: nobody. */
  readonly ask: ((question: string) => Promise<string>) | null;
}

/** Ask on the terminal. It stays in its own mode, so that Ctrl-C is a signal. */
export function askOnTerminal(question: string): Promise<string> {
  process.stderr.write(question);
  const lines = createInterface({ input: process.stdin, terminal: false });
  return new Promise((resolve) => {
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => resolve(''));
  });
}

/** @returns what was typed for each confirmation, null where a yes does @throws KbtopError when it is not meant, or nobody can be asked */
export async function consentTo(plans: readonly Plan[], { yes, typed, ask }: Consent): Promise<(string | null)[]> {
  const wanted = [...new Set(plans.flatMap(({ confirmation }) => (confirmation === null ? [] : [confirmation.text])))];
  const answers = new Map<string, string>();
  for (const text of wanted) {
    if (typed === null && ask === null) throw usageError(`"${text}" must be typed to confirm it, but standard input is no terminal: --confirm ${text}`);
    const answer = typed ?? (await ask?.(`Type ${escapeForTerminal(text)} to arm it: `))?.trim() ?? '';
    if (answer !== text) throw new KbtopError(EXIT.impossible, `nothing is armed: "${answer}" is not "${text}", which was to be typed`);
    answers.set(text, answer);
  }
  if (wanted.length === 0 && !yes) {
    if (ask === null) throw usageError('nobody can be asked whether it is meant, since standard input is no terminal: give --yes');
    const answer = (await ask('Type yes to arm it: ')).trim();
    if (answer !== 'yes') throw new KbtopError(EXIT.impossible, `nothing is armed: "${answer}" is not "yes"`);
  }
  return plans.map(({ confirmation }) => (confirmation === null ? null : answers.get(confirmation.text) ?? null));
}
