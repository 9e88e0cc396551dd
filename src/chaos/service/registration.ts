/**
 * Where injectors can be found: a file for each in /run/kbtop, with what `kbtop chaos stop` needs to be sure that it is the
 * right process. Only root can write there.
 */
import { constants, closeSync, fstatSync, lstatSync, mkdirSync, openSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChaosError } from '../door.ts';
import { processStat, readText } from './processes.ts';
import { isCount, isFields, isText, isTexts } from './shape.ts';

/** The environment's KBTOP_RUN_DIRECTORY is for tests, which must not stop the faults of others. */
export const runDirectory = (): string => process.env['KBTOP_RUN_DIRECTORY'] || '/run/kbtop';
/** Word of the injector's command line, by which it is known. */
export const INJECTOR_COMMAND = 'chaos-injector';
const FILE = /^chaos-(\d{1,10})\.json$/;
const MAX_BYTES = 65_536;

/** An injector as its file tells it. */
export interface Registered {
  readonly file: string;
  readonly pid: number;
  /** See ProcessStat. */
  readonly startTime: string;
  /** Inode of its pid namespace: its pid means nothing in another one. */
  readonly pidNamespace: string;
  /** Sentences of the faults that it has armed. */
  readonly faults: readonly string[];
}

const REASONS: Readonly<Record<string, string>> = { EACCES: 'permission denied', EPERM: 'not permitted', EROFS: 'the file system is read-only', ENOSPC: 'the disk is full', ENOENT: 'there is no such directory', ENOTDIR: 'a part of the path is no directory' };
const reasonOf = (error: unknown): string => REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? (error as Error).message;

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Whether nobody but this user (or root) can have put a file there. */
function isOurs(directory: string): boolean {
  const about = lstatSync(directory);
  return about.isDirectory() && (about.uid === 0 || about.uid === process.geteuid?.()) && (about.mode & 0o022) === 0;
}

/** Not with its parents: Node's way to make those goes round for ever in /proc. @throws Error */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** This process's own file, for as long as it lives. */
export class Registration {
  readonly #file: string;
  readonly #about: Omit<Registered, 'file' | 'faults'>;
  #ended = false;

  private constructor(file: string, about: Omit<Registered, 'file' | 'faults'>) {
    this.#file = file;
    this.#about = about;
  }

  /** @throws ChaosError: what nobody could stop is not started */
  static make(directory: string): Registration {
    try {
      makeDirectory(directory);
      if (!isOurs(directory)) throw new Error('others may write there');
      const own = processStat(process.pid);
      if (own === null) throw new Error('/proc does not tell about this process');
      const registration = new Registration(join(directory, `chaos-${process.pid}.json`), { pid: process.pid, startTime: own.startTime, pidNamespace: pidNamespace() });
      registration.tell([]);
      return registration;
    } catch (error) {
      throw new ChaosError('failed', `cannot register in ${directory}: ${reasonOf(error)}; nothing is armed that kbtop chaos stop could not find`, { cause: error });
    }
  }

  /** What is armed now. @throws Error when it cannot be written */
  tell(faults: readonly string[]): void {
    if (this.#ended) return;
    const draft = `${this.#file}.new`;
    writeFileSync(draft, JSON.stringify({ ...this.#about, faults }), { mode: 0o600 });
    renameSync(draft, this.#file);
  }

  end(): void {
    this.#ended = true;
    rmSync(this.#file, { force: true });
  }
}

function readSmall(path: string): string | null {
  let fd;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const about = fstatSync(fd);
    return about.isFile() && about.size <= MAX_BYTES ? readFileSync(fd, 'utf8') : null;
  } catch {
    return null;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function parse(file: string, text: string): Registered | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isFields(value)) return null;
  const { pid, startTime, pidNamespace: namespace, faults } = value;
  return isCount(pid) && Number.isInteger(pid) && pid > 1 && isText(startTime) && isText(namespace) && isTexts(faults) ? { file, pid, startTime, pidNamespace: namespace, faults } : null;
}

/** Is the process of that file alive: the same one, and an injector. */
export function isAlive({ pid, startTime, pidNamespace: namespace }: Pick<Registered, 'pid' | 'startTime' | 'pidNamespace'>): boolean {
  if (namespace !== pidNamespace()) return false;
  const stat = processStat(pid);
  return stat !== null && stat.startTime === startTime && !stat.zombie && (readText(`/proc/${pid}/cmdline`) ?? '').split('\0').includes(INJECTOR_COMMAND);
}

export interface Census {
  readonly alive: readonly Registered[];
  /** Injectors of another pid namespace: they cannot be reached from here. */
  readonly foreign: readonly Registered[];
}

/** Injectors of this node; files of those that are gone are taken away. @throws ChaosError when the directory may not be read, or others may write there */
export function registered(directory: string): Census {
  let names: string[];
  try {
    if (!isOurs(directory)) throw new Error('others may write there, so what stands there is not to be trusted');
    names = readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { alive: [], foreign: [] };
    const { code } = error as NodeJS.ErrnoException;
    throw new ChaosError(code === 'EACCES' || code === 'EPERM' ? 'impossible' : 'failed', `cannot look for faults in ${directory}: ${reasonOf(error)}${code === 'EACCES' ? '; run it with sudo' : ''}`, { cause: error });
  }
  const alive: Registered[] = [], foreign: Registered[] = [];
  for (const name of names) {
    const path = join(directory, name);
    const text = FILE.test(name) ? readSmall(path) : null;
    const one = text === null ? null : parse(path, text);
    if (one === null) continue;
    if (one.pidNamespace !== pidNamespace()) foreign.push(one);
    else if (isAlive(one)) alive.push(one);
    else rmSync(path, { force: true });
  }
  return { alive, foreign };
}
