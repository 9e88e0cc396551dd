/** A checkout in miniature: the real tools/ and bin/ with small builders in place of the compilers. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const REPOSITORY = dirname(dirname(import.meta.dirname));
const PLATFORM = `node-linux-${process.arch}`;

/** Compiles the smallest addon that Node loads. */
export const ADDON = `echo 'void *napi_register_module_v1(void *env, void *exports) { return exports; }' | gcc -shared -fPIC -x c -o "$1" -`;

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Checkout {
  readonly root = mkdtempSync(join(tmpdir(), 'kbtop checkout-'));

  constructor() {
    chmodSync(this.root, 0o755);
    for (const dir of ['tools', 'bin', '.ci']) cpSync(join(REPOSITORY, dir), join(this.root, dir), { recursive: true });
    const packages = { 'node_modules/thing': { version: '1.0.0', integrity: 'sha512-a' }, 'node_modules/elsewhere': { version: '1.0.0', optional: true } };
    this.write('package.json', '{"version":"1.2.3"}');
    this.write('tsconfig.json', '{}');
    this.write('package-lock.json', JSON.stringify({ packages: { '': {}, ...packages } }));
    this.write('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/thing': packages['node_modules/thing'] } }));
    for (const name of ['node-addon-api', 'node-api-headers']) this.write(`node_modules/${name}/package.json`, '{}');
    mkdirSync(join(this.root, 'node_modules', PLATFORM, 'bin'), { recursive: true });
    symlinkSync(process.execPath, join(this.root, 'node_modules', PLATFORM, 'bin', 'node'));
    this.write('bpf/one.bpf.c', 'one');
    this.write('native/addon.cc', 'addon');
    this.write('src/cli/main.ts', 'main');
    this.script('bpf/build.sh', 'echo bpf >> "$LOG"; mkdir -p "$1" && for f in bpf/*.bpf.c; do cp "$f" "$1/$(basename "$f" .c).o"; done');
    this.script('native/build.sh', `echo native >> "$LOG"; ${ADDON}`);
    // Stands in for esbuild: one entry that says how it was started, and one chunk named after its content.
    this.write(
      'tools/bundle.mjs',
      `import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
       appendFileSync(process.env.LOG, 'bundle\\n');
       const source = readFileSync('src/cli/main.ts', 'utf8').trim();
       writeFileSync(process.argv[2] + '/kbtop.mjs', 'console.log(JSON.stringify({ source: ' + JSON.stringify(source) + ', args: process.argv.slice(2), cwd: process.cwd(), node: process.argv0, uid: process.getuid() })); process.exitCode = Number(process.argv[2]) || 0;');
       writeFileSync(process.argv[2] + '/kbtop-chunk-' + source + '.mjs', '');`,
    );
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }

  script(path: string, body: string): void {
    this.write(path, `#!/bin/sh\nset -e\n${body}\n`);
    chmodSync(join(this.root, path), 0o755);
  }

  /**
   * The vendored Node as a file of its own, for tests as another user: the repository may lie where others cannot
   * look into, such as /root.
   */
  ownNode(): string {
    const node = join(this.root, 'node_modules', PLATFORM, 'bin', 'node');
    rmSync(node);
    copyFileSync(process.execPath, node);
    return node;
  }

  /** Where the builders note that they ran. */
  get log(): string {
    return join(this.root, 'builds.log');
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, LOG: this.log };
  }

  setup(args: readonly string[] = [], options: { readonly env?: NodeJS.ProcessEnv; readonly uid?: number } = {}): Result {
    const { uid } = options;
    const node = uid === undefined ? process.execPath : this.ownNode();
    return run(node, [join(this.root, 'tools/setup.mjs'), ...args], { env: { ...this.environment, ...options.env }, cwd: '/', ...(uid === undefined ? {} : { uid }) });
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function run(file: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly uid?: number } = {}): Result {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8', ...options });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr };
}
