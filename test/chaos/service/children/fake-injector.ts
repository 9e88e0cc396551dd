/** An injector as a process of its own, on the fake engine. KBTOP_FAKE: a directory with the journal, and the node if it is not WEB. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInjector } from '../../../../src/chaos/service/process.ts';
import { FakeEngine, type FakeEngineOptions } from '../fake-engine.ts';
import { FakeWho, type Inhabitant, WEB } from '../fake-who.ts';

const directory = process.env['KBTOP_FAKE'] ?? '';
const node = join(directory, 'node.json'), options = join(directory, 'engine.json');
const journal = (line: string): void => appendFileSync(join(directory, 'journal'), `${line}\n`);

appendFileSync(join(directory, 'pids'), `${process.pid}\n`);
await runInjector({
  openEngine: async () => new FakeEngine({ hitsPerPoll: 1, ...(existsSync(options) ? JSON.parse(readFileSync(options, 'utf8')) as FakeEngineOptions : {}), journal }),
  openWho: async () => new FakeWho(() => (existsSync(node) ? JSON.parse(readFileSync(node, 'utf8')) as Inhabitant[] : WEB)),
});
process.exit(0);
