/** node_modules against the lock file, and `npm ci` when they differ. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

/** npm's os, cpu and libc fields: a name or a list of names, "!name" forbids. */
function allows(field, value) {
  const list = [].concat(field === undefined ? [] : field);
  const named = list.filter((name) => !name.startsWith('!'));
  return !list.includes(`!${value}`) && (named.length === 0 || named.includes(value));
}

/**
 * True when every package of the lock file that is meant for this platform is installed in its version. npm's own
 * record in node_modules is compared, not times: a git checkout changes times only.
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
    // Optional ones without a platform serve only optional ones of other platforms.
    if (is === undefined) return want.optional === true && !((want.os || want.cpu) && allows(want.os, 'linux') && allows(want.cpu, arch) && allows(want.libc, 'glibc'));
    return is.version === want.version && is.integrity === want.integrity;
  });
}

/** How to start the npm that started us; the `npm` of PATH otherwise. `node`: what runs it, if not its own. */
function npmCommand(node) {
  const { npm_execpath: cli = '', npm_node_execpath: own = '' } = process.env;
  if (!cli.endsWith('npm-cli.js') || !existsSync(cli)) return ['npm'];
  return [node || (existsSync(own) ? own : process.execPath), cli];
}

const ARGS = ['ci', '--loglevel=error', '--no-audit', '--no-fund', '--ignore-scripts', '--include=dev', '--include=optional', '--engine-strict=false'];

async function npmCi(root, node) {
  const [file, ...rest] = npmCommand(node);
  // A Node in node_modules/.bin must not run npm while npm replaces node_modules.
  const bin = join(root, 'node_modules', '.bin');
  const path = (process.env.PATH || '').split(':').filter((dir) => dir !== bin);
  const env = { ...process.env, PATH: [...(node ? [dirname(node)] : []), ...path].join(':') };
  // `npm test --silent` and the like speak about the outer npm.
  delete env.npm_config_loglevel;
  let result;
  try {
    result = await run(file, [...rest, ...ARGS], { cwd: root, env });
  } catch (error) {
    throw new SetupError(`cannot start npm (${error.message}): install npm and run this again`);
  }
  if (result.code !== 0) throw new SetupError(`npm ci failed (${result.signal || `code ${result.code}`}); check network, proxy and registry settings\n${tail(result.output)}`);
  if (!existsSync(vendoredNode(root))) {
    throw new SetupError(`npm ci brought no Node for linux-${process.arch} (${dirname(vendoredNode(root))}): kbtop supports linux x64 and arm64 with glibc; is --omit=optional set in your npm configuration?`);
  }
}

/** npm scripts find the shipped Node in node_modules/.bin; npm 9 does not link it there. */
function linkNode(root) {
  const bin = join(root, 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  if (!existsSync(join(bin, 'node'))) symlinkSync(relative(bin, vendoredNode(root)), join(bin, 'node'));
}

/**
 * Install exactly the lock file. No package's install script is needed; EBADENGINE is expected, because the
 * machine's Node only starts the one that is being installed. npm leaves optional packages out that do not name the
 * Node it runs on, e.g. the linter's binary on Node 18: then the installed Node runs npm once more.
 */
export async function install(root) {
  const start = Date.now();
  say('npm ci');
  await npmCi(root, null);
  if (!isInstalled(root)) {
    say(`npm ci once more with the Node that it brought, ${process.version} leaves packages out`);
    const scratch = mkdtempSync(join(tmpdir(), 'kbtop-node-'));
    try {
      copyFileSync(vendoredNode(root), join(scratch, 'node'));
      await npmCi(root, join(scratch, 'node'));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
    if (!isInstalled(root)) throw new SetupError('npm ci left packages out; remove node_modules and run this again with a newer npm');
  }
  linkNode(root);
  say(`npm ci done (${seconds(Date.now() - start)})`);
}
