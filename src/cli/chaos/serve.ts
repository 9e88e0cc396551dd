/** What the injector is made of: the engine in the kernel, and who is who. Imported lazily: it loads the addon. */
import { loadAddon } from '../../bpf/load.ts';
import { openEngine } from '../../chaos/engine/kernel-engine.ts';
import { runInjector } from '../../chaos/service/process.ts';
import { IdentityWho } from '../../chaos/service/who.ts';
import { Hierarchies } from '../../identity/hierarchies.ts';
import { openIdentity } from '../capture.ts';

export const serve = (): Promise<void> => runInjector({
  openEngine: async (_settings, debug) => openEngine(loadAddon(), { v1Fallback: Hierarchies.read().v1Fallback, debug: debug ?? (() => {}) }),
  openWho: async ({ sources }, debug) => IdentityWho.open(openIdentity({ debug, ...(sources !== null && { sources }) }), loadAddon()),
});
