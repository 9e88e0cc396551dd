/** Where names are looked up, as the command line and the configuration give it: what cannot be is refused before anything starts. */
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { dnsLabelMistake, dnsSubdomainMistake } from '../frame/kube-names.ts';

function kindAt(path: string): 'file' | 'directory' | 'other' {
  try {
    const stat = statSync(path);
    accessSync(path, constants.R_OK);
    return stat.isDirectory() ? 'directory' : stat.isFile() || stat.isFIFO() ? 'file' : 'other';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new RangeError(`"${path}": there is no such file or directory`);
    if (code === 'EACCES' || code === 'EPERM') throw new RangeError(`"${path}" cannot be read: permission denied`);
    throw new RangeError(`"${path}" cannot be read: ${message}`);
  }
}

/** A file that can be read. @returns its absolute path @throws RangeError, one line */
export function readableFile(text: string): string {
  if (text === '') throw new RangeError('lacks the name of a file');
  if (kindAt(text) === 'directory') throw new RangeError(`"${text}" is a directory, not a file`);
  return resolve(text);
}

/** @returns its absolute path @throws RangeError, one line */
export function existingDirectory(text: string): string {
  if (text === '') throw new RangeError('lacks the name of a directory');
  if (kindAt(text) !== 'directory') throw new RangeError(`"${text}" is no directory`);
  return resolve(text);
}

/** A socket's absolute path, or one behind unix://; it need not be there yet. @throws RangeError, one line */
export function socketPlace(text: string): string {
  const path = text.startsWith('unix://') ? text.slice('unix://'.length) : text;
  if (!isAbsolute(path)) throw new RangeError(`"${text}" is not a socket's absolute path, nor unix:// with one`);
  return text;
}

/** @throws RangeError, one line */
export function nodeName(text: string): string {
  const mistake = dnsSubdomainMistake(text);
  if (mistake) throw new RangeError(`"${text}" cannot be a node's name: it ${mistake.problem}`);
  return text;
}

/** @throws RangeError, one line */
export function contextName(text: string): string {
  if (text === '') throw new RangeError('lacks the name of a context');
  return text;
}

/** @throws RangeError, one line */
export function namespaceName(text: string): string {
  const mistake = dnsLabelMistake(text);
  if (mistake) throw new RangeError(`"${text}" cannot be a namespace: it ${mistake.problem}`);
  return text;
}

/** @throws RangeError, one line */
export function imageName(text: string): string {
  if (!/^[\w][\w.:/@+-]*$/.test(text)) throw new RangeError(`"${text}" cannot be the name of an image`);
  return text;
}

/** In a file, a path must not depend on where kbtop is started. @returns with ~ spelled out @throws RangeError, one line */
export function settledPath(text: string, home?: string): string {
  const path = text === '~' || text.startsWith('~/') ? join(home ?? homedir(), text.slice(1)) : text;
  if (!isAbsolute(path)) throw new RangeError(`"${text}" is neither absolute nor begins with ~/`);
  return path;
}
