/** Finds and loads the native addon. */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Addon } from './addon.ts';
import { locate } from './locate.ts';

/** The addon is missing or does not fit this machine; the message is one line. */
export class AddonError extends Error {
  override readonly name = 'AddonError';
  readonly code = 'ERR_ADDON';
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.split('\n', 1)[0] ?? '';
  const library = /^(\S+): cannot open shared object file/.exec(line)?.[1];
  if (library === 'libstdc++.so.6') return `${line}; install libstdc++6`;
  if (/GLIBC(XX)?_[\d.]+' not found/.test(line)) return `${line}; it needs glibc 2.34 or later, rebuild it on this machine (npm start)`;
  if (line.includes('failed to map segment')) return `${line}; is its file system mounted noexec?`;
  if (/wrong ELF class|invalid ELF header|cannot open shared object file: Exec format/.test(line)) return `${line}; it was built for another machine, rebuild it (npm start)`;
  return line;
}

/**
 * The addon, from the environment's KBTOP_ADDON, beside the running bundle, or from the checkout's dist/.
 * @throws AddonError
 */
export function loadAddon(): Addon {
  const given = process.env['KBTOP_ADDON'];
  const place = given ? { path: resolve(given), found: true } : locate('kbtop.node');
  if (!place.found) throw new AddonError(`kbtop's native addon is not built: ${place.path} is missing; run npm start once in the checkout`);
  try {
    return createRequire(import.meta.url)(place.path) as Addon;
  } catch (error) {
    throw new AddonError(`cannot load kbtop's native addon ${place.path}: ${reasonOf(error)}`);
  }
}
