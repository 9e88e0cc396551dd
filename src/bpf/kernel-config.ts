/** The running kernel's build configuration, where it can be read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface KernelConfig {
  /** Path it was read from. */
  readonly source: string;
  /** "y", "m" or a value; null when the option is not set. */
  get(option: string): string | null;
}

/**
 * From /proc/config.gz or /boot/config-RELEASE; null when neither is readable (common: many images ship neither).
 * @param root directory that stands for /, for tests
 */
export function readKernelConfig(release: string, root = '/'): KernelConfig | null {
  for (const path of ['proc/config.gz', `boot/config-${release}`, `lib/modules/${release}/config`]) {
    try {
      const raw = readFileSync(join(root, path));
      const text = (path.endsWith('.gz') ? gunzipSync(raw) : raw).toString('latin1');
      return { source: `/${path}`, get: (option) => new RegExp(`^${option}=(.*)$`, 'm').exec(text)?.[1]?.replace(/^"(.*)"$/, '$1') ?? null };
    } catch {
      continue;
    }
  }
  return null;
}
