/** kbtop's version: set by the bundler, read from package.json when the sources run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function version(): string {
  const bundled = process.env.KBTOP_VERSION;
  if (bundled !== undefined && bundled !== '') return bundled;
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  return (manifest as { version: string }).version;
}
