/** The screen on a node that does not exist: what the real program does to a terminal, without root and BPF. */
import { FakeNode, fakeSource } from '../../ui/fixtures.ts';
import { runUi } from '../../../src/ui/run.tsx';

const env = process.env;
const intervalMs = Number(env['FAKE_MS'] ?? 200);
const node = new FakeNode({ containers: Number(env['FAKE_CONTAINERS'] ?? 12), intervalMs });
// Made before the start and shown in turn: the benchmark is about showing them.
const frames = Array.from({ length: 30 }, () => node.next());
const source = fakeSource(node);
let shown = 0;
const emit = (): void => void source.emit(frames[shown++ % frames.length]);
emit();
setInterval(emit, intervalMs);

/** Misfortunes to order, a second after the start. */
const MISFORTUNES: Readonly<Record<string, () => void>> = {
  throw: () => { throw new Error('thrown in a timer'); },
  reject: () => void Promise.reject(new Error('rejected and forgotten')),
  exit: () => process.exit(7),
  frame: () => source.emit({ panes: null } as never),
  source: () => source.end(new Error('the source has failed')),
  stray: () => {
    console.log('a stray line on stdout');
    console.error('a stray line on stderr');
    process.emitWarning('a stray warning');
  },
};
const misfortune = MISFORTUNES[env['FAKE_MISFORTUNE'] ?? ''];
if (misfortune) setTimeout(misfortune, 1000);

let code: number;
try {
  code = await runUi(source, { color: 'auto', ascii: false, intervalMs, readOnly: false, scope: null, saveDirectory: process.cwd(), version: '0.0.0' });
} catch (error) {
  process.stderr.write(`kbtop: ${(error as Error).message}\n`);
  code = 1;
}
await source.close();
process.exit(code);
