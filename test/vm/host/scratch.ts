/** Directories that are gone with us, also when a signal ends us. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directories = new Set<string>();
const remove = (directory: string): void => rmSync(directory, { recursive: true, force: true });
process.on('exit', () => {
  for (const directory of directories) remove(directory);
});

export async function withScratch<T>(prefix: string, body: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  directories.add(directory);
  try {
    return await body(directory);
  } finally {
    remove(directory);
    directories.delete(directory);
  }
}
