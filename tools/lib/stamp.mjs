/**
 * Is a built part still what its inputs would give? Inputs of ours count by content, tools and system
 * libraries by path, size and time (asking `clang --version` would cost more than the whole check).
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** All files below `dir`, sorted; editors' leavings and hidden files are no inputs. */
export function filesBelow(dir) {
  const found = [];
  const walk = (at) => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name.endsWith('~')) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) found.push(path);
    }
  };
  walk(dir);
  return found.sort();
}

/**
 * A key that changes when any input does.
 * @param {string} root paths of `files` are hashed relative to it, so that a moved checkout stays built
 * @param {string[]} files hashed by content
 * @param {string[]} system hashed by path, size and mtime; links are followed
 * @param {string[]} variables environment variables, hashed by name and value
 */
export function inputKey(root, files, system, variables = []) {
  const hash = createHash('sha256');
  for (const name of variables) hash.update(`${name}=${process.env[name] || ''}\0`);
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content);
  }
  for (const file of system) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest('hex');
}

const describe = (root, path) => {
  const { size, mtimeMs } = statSync(join(root, path));
  return { path, size, mtimeMs };
};

/** The stamp written after the last build, or null. */
export function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** True when `file` says that `key` was built and every output is still as it was left. */
export function isFresh(root, file, key) {
  const stamp = readStamp(file);
  if (stamp === null || stamp.key !== key || !Array.isArray(stamp.outputs)) return false;
  try {
    return stamp.outputs.every((was) => {
      const is = describe(root, was.path);
      return is.size === was.size && is.mtimeMs === was.mtimeMs;
    });
  } catch {
    return false;
  }
}

/** Record a finished build. `outputs` are paths relative to `root`. */
export function writeStamp(root, file, key, outputs) {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify({ key, outputs: outputs.map((path) => describe(root, path)) }));
  renameSync(temporary, file);
}
