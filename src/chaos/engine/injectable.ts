/** Which functions this kernel lets fail (ALLOW_ERROR_INJECTION): from debugfs, mounted or not, else from the names of its symbols. */
import { readFileSync } from 'node:fs';
import type { Addon, BpfError } from '../../bpf/addon.ts';

const LIST = 'error_injection/list';
/** Part of any kernel that lets functions fail. */
const CORE_SYMBOL = 'get_injectable_error_type';

/** Names of a list: "NAME<tab>TYPE" a line. */
export function parseInjectable(text: string): Set<string> {
  return new Set(text.split('\n').map((line) => line.split(/\s/, 1)[0] ?? '').filter((name) => name !== ''));
}

/** From /proc/kallsyms; null when it does not tell. */
export function injectableSymbols(kallsyms: string): Set<string> | null {
  const names = [...kallsyms.matchAll(/ _eil_addr_(\S+)/g)].map(([, name = '']) => name);
  if (names.length > 0) return new Set(names);
  // Data symbols may be left out of it, functions never are.
  const known = kallsyms.includes(' T ') || kallsyms.includes(' t ');
  return known && !kallsyms.includes(` ${CORE_SYMBOL}\n`) ? new Set() : null;
}

/**
 * Empty: it lets none. Null: it cannot be told.
 * @param readKallsyms for tests
 */
export function injectableFunctions(addon: Pick<Addon, 'readUnmounted'>, readKallsyms: () => string = () => readFileSync('/proc/kallsyms', 'latin1')): ReadonlySet<string> | null {
  try {
    return parseInjectable(addon.readUnmounted('debugfs', LIST));
  } catch (error) {
    // debugfs is there and has no such list.
    if ((error as BpfError).code === 'ENOENT') return new Set();
  }
  try {
    return injectableSymbols(readKallsyms());
  } catch {
    return null;
  }
}
