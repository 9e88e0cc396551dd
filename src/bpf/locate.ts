/** Where the built parts are: beside the running bundle, or in the checkout's dist/ when the sources run. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The first place where a built file is, or, when it is nowhere, where it should be.
 * @param name path below dist/ @param here directory of the running module, for tests
 */
export function locate(name: string, here: string = import.meta.dirname): { readonly path: string; readonly found: boolean } {
  const places = [join(here, name)];
  // Only the sources look outside their directory: an installed bundle must not load a stranger's file as root.
  if (here.endsWith(join('src', 'bpf'))) places.push(join(dirname(dirname(here)), 'dist', name));
  const path = places.find((place) => existsSync(place));
  return { path: path ?? places[places.length - 1] ?? name, found: path !== undefined };
}
