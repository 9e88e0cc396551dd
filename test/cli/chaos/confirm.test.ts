import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/chaos/door.ts';
import { consentTo } from '../../../src/cli/chaos/confirm.ts';
import { rule } from '../../chaos/service/fixture.ts';

const plan = (text: string | null): Plan => ({ rule: rule(), text: 't', targets: [], selections: [], refusals: [], warnings: [], confirmation: text === null ? null : { text, reasons: ['irreversible'] } });
const asking = (...answers: readonly string[]): { readonly asked: string[]; readonly ask: (question: string) => Promise<string> } => {
  const left = [...answers], asked: string[] = [];
  return { asked, ask: async (question) => { asked.push(question); return left.shift() ?? ''; } };
};
const base = { yes: false, typed: null, ask: null };

describe('consent', () => {
  it('is a yes, given or asked for', async () => {
    expect(await consentTo([plan(null)], { ...base, yes: true })).toEqual([null]);
    const { asked, ask } = asking('yes\n');
    expect(await consentTo([plan(null)], { ...base, ask })).toEqual([null]);
    expect(asked).toEqual(['Type yes to arm it: ']);
  });

  it('is the name where a yes is not enough, asked for once, whatever --yes says', async () => {
    const { asked, ask } = asking('web-1');
    expect(await consentTo([plan('web-1'), plan(null), plan('web-1')], { yes: true, typed: null, ask })).toEqual(['web-1', null, 'web-1']);
    expect(asked).toEqual(['Type web-1 to arm it: ']);
    expect(await consentTo([plan('web-1')], { ...base, typed: 'web-1' })).toEqual(['web-1']);
  });

  it.each<[string | null, Parameters<typeof consentTo>[1], number, string]>([
    [null, base, 2, 'give --yes'],
    ['web-1', { ...base, yes: true }, 2, '--confirm web-1'],
    ['web-1', { ...base, typed: 'web' }, 3, '"web" is not "web-1"'],
    [null, { ...base, ask: async () => 'y' }, 3, '"y" is not "yes"'],
    [null, { ...base, ask: async () => '' }, 3, '"" is not "yes"'],
    ['web-1', { ...base, ask: async () => 'yes' }, 3, '"yes" is not "web-1"'],
  ])('for %j is not given by %j', async (text, consent, exitCode, message) => {
    await expect(consentTo([plan(text)], consent)).rejects.toMatchObject({ exitCode, message: expect.stringContaining(message) as string });
  });
});
