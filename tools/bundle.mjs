/**
 * src/cli/main.ts, src/cli/kubectl/main.ts and all they need as one production bundle:
 *
 *   node tools/bundle.mjs OUTDIR
 *
 * writes OUTDIR/kbtop.mjs, OUTDIR/kubectl-kbtop.mjs and, for every `import()`, chunks kbtop-NAME-HASH.mjs beside it, so that a command
 * without a screen never loads Ink and React. Entry and chunks share one directory on purpose:
 * `import.meta.dirname` is dist/ in all of them, whatever chunk a module ends up in.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Ink measures and tokenizes every cell of every frame; these two take the common characters' short way and
 * hand the rest to the package itself (see src/ui/ink/). The shims' own imports reach the real packages.
 */
const SHIMS = {
  'string-width': 'src/ui/ink/fast-width.ts',
  '@alcalzone/ansi-tokenize': 'src/ui/ink/fast-tokenize.ts',
};

/**
 * What KubeConfig of @kubernetes/client-node imports and kbtop never comes to: the generated API (its client is kbtop's
 * own), the HTTP client for it, sign-in that Kubernetes dropped (refused before) or that becomes a plain token before (OpenID;
 * both in src/identity/kubernetes/kubeconfig.ts), and YAML, since what it is handed is JSON. That is nine tenths of 1.7 MB.
 * Exec plugins, token files and proxies stay as they are.
 */
const UNUSED = {
  './gen/index.js': 'export const createConfiguration = undefined, ServerConfiguration = undefined;',
  './middleware.js': 'export const setHeaderMiddleware = undefined;',
  './azure_auth.js': 'export class AzureAuth { isAuthProvider() { return false; } }',
  './gcp_auth.js': 'export class GoogleCloudPlatformAuth { isAuthProvider() { return false; } }',
  './oidc_auth.js': 'export class OpenIDConnectAuth { isAuthProvider() { return false; } }',
  undici: 'export class Agent {}; export class ProxyAgent {}',
  'js-yaml': 'export const load = JSON.parse;',
};

const shims = {
  name: 'shims',
  setup(pluginBuild) {
    for (const [name, file] of Object.entries(SHIMS)) {
      const shim = join(root, file);
      if (!existsSync(shim)) throw new Error(`${file} is missing`);
      pluginBuild.onResolve({ filter: new RegExp(`^${name}$`) }, (args) => (args.importer === shim ? undefined : { path: shim }));
    }
    // Ink's canvas, for the finished lines of a whole screen.
    const canvas = join(root, 'src/ui/ink/fast-output.ts');
    if (!existsSync(canvas)) throw new Error('src/ui/ink/fast-output.ts is missing');
    pluginBuild.onResolve({ filter: /^\.\/output\.js$/ }, (args) => (args.importer.endsWith('/ink/build/renderer.js') ? { path: canvas } : undefined));
    // Yoga decodes its WebAssembly by fetch() of a data: URL, which loads all of Node's HTTP client. Where a module
    // sees no fetch it decodes by itself, with the same result.
    pluginBuild.onLoad({ filter: /yoga-wasm-base64-esm\.js$/ }, (args) => ({ contents: `const fetch = undefined;\n${readFileSync(args.path, 'utf8')}` }));
    // Ink imports this development tool only when DEV is set; it is not installed.
    pluginBuild.onResolve({ filter: /^react-devtools-core$/ }, () => ({ path: 'react-devtools-core', namespace: 'stub' }));
    pluginBuild.onLoad({ filter: /.*/, namespace: 'stub' }, () => ({ contents: 'export default {}' }));
    for (const name of Object.keys(UNUSED)) {
      pluginBuild.onResolve({ filter: new RegExp(`^${name.replaceAll('.', '\\.')}$`) }, (args) => (args.importer.includes('/@kubernetes/client-node/dist/') ? { path: name, namespace: 'unused' } : undefined));
    }
    pluginBuild.onLoad({ filter: /.*/, namespace: 'unused' }, (args) => ({ contents: UNUSED[args.path] }));
  },
};

const ENTRIES = { kbtop: join(root, 'src/cli/main.ts'), 'kubectl-kbtop': join(root, 'src/cli/kubectl/main.ts') };

/**
 * @param entry another program than kbtop's own two, for tests
 * @returns esbuild's result, with the metafile
 */
export function bundle(outdir, { entry, ...options } = {}) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return build({
    absWorkingDir: root,
    entryPoints: entry === undefined ? ENTRIES : { kbtop: entry },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'kbtop-[name]-[hash]',
    // Names stay, so that a stack trace from a node says something; they cost no start-up time.
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    define: { 'process.env.NODE_ENV': '"production"', 'process.env.KBTOP_VERSION': JSON.stringify(version) },
    // Bundled CommonJS packages call require() for Node's own modules.
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    logLevel: 'warning',
    plugins: [shims],
    ...options,
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const outdir = process.argv[2];
  if (outdir === undefined) {
    process.stderr.write('usage: node tools/bundle.mjs OUTDIR\n');
    process.exit(2);
  }
  try {
    await bundle(outdir);
  } catch (error) {
    // esbuild has printed what is wrong with the sources.
    if (!Array.isArray(error.errors)) process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  }
}
