/** node_modules against the lock file, and `npm ci` when they differ. */
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { SetupError, run, say, seconds, tail } from './say.mjs';

const readPackages = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages || {};
  } catch {
    return null;
  }
};

/** The Node that kbtop ships, inside node_modules; may not exist. */
export function vendoredNode(root, arch = process.arch) {
  return join(root, 'node_modules', `node-linux-${arch}`, 'bin', 'node');
}

/**
 * True when every package of the lock file is installed in its version (packages for other platforms may be
 * absent). npm's own record in node_modules is compared, not times: a git checkout changes times only.
 */
export function isInstalled(root, arch = process.arch) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  if (wanted === null) throw new SetupError(`cannot read ${join(root, 'package-lock.json')}: restore it with git checkout package-lock.json`);
  const have = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (have === null || !existsSync(vendoredNode(root, arch))) return false;
  return Object.keys(wanted).every((path) => {
    if (path === '') return true;
    const want = wanted[path];
    const is = have[path];
    if (is === undefined) return want.optional === true || want.devOptional === true;
    return is.version === want.version && is.integrity === want.integrity;
  });
}

/** How to start the npm that started us; the `npm` of PATH otherwise. */
function npmCommand() {
  const { npm_execpath: cli = '', npm_node_execpath: node = '' } = process.env;
  if (cli.endsWith('npm-cli.js') && existsSync(cli)) return [existsSync(node) ? node : process.execPath, cli];
  return ['npm'];
}

/** npm scripts find the shipped Node in node_modules/.bin; npm 9 does not link it there. */
function linkNode(root) {
  const bin = join(root, 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  if (!existsSync(join(bin, 'node'))) symlinkSync(relative(bin, vendoredNode(root)), join(bin, 'node'));
}

/**
 * Install exactly the lock file. No package's install script is needed; EBADENGINE is expected, because the
 * machine's Node only starts the one that is being installed.
 */
export async function install(root) {
  const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund', '--ignore-scripts', '--include=dev', '--include=optional', '--engine-strict=false'];
  const [file, ...rest] = npmCommand();
  say('npm ci');
  const start = Date.now();
  // A Node in node_modules/.bin must not run npm while npm replaces node_modules.
  const bin = join(root, 'node_modules', '.bin');
  const PATH = (process.env.PATH || '').split(':').filter((dir) => dir !== bin).join(':');
  const env = { ...process.env, PATH };
  // `npm test --silent` and the like speak about the outer npm.
  delete env.npm_config_loglevel;
  let result;
  try {
    result = await run(file, [...rest, ...args], { cwd: root, env });
  } catch (error) {
    throw new SetupError(`cannot start npm (${error.message}): install npm and run this again`);
  }
  if (result.code !== 0) throw new SetupError(`npm ci failed (${result.signal || `code ${result.code}`}); check network, proxy and registry settings\n${tail(result.output)}`);
  if (!existsSync(vendoredNode(root))) {
    throw new SetupError(`npm ci brought no Node for linux-${process.arch} (${dirname(vendoredNode(root))}): kbtop supports linux x64 and arm64 with glibc; is --omit=optional set in your npm configuration?`);
  }
  linkNode(root);
  say(`npm ci done (${seconds(Date.now() - start)})`);
}
