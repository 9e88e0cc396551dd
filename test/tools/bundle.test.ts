import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../tools/bundle.mjs';
import { run } from './checkout.ts';

const root = dirname(dirname(import.meta.dirname));
let dir: string;
let inputs: string[];

/** A program with a screen behind an import(), and a package that requires Node's modules. */
beforeAll(async () => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  dir = mkdtempSync(join(root, '.cache/bundle-'));
  writeFileSync(join(dir, 'old.cjs'), "module.exports = require('node:os').EOL;");
  writeFileSync(
    join(dir, 'main.ts'),
    `import eol from './old.cjs';
     export const where = import.meta.dirname;
     if (process.argv[2] === 'version') process.stdout.write(String(process.env.KBTOP_VERSION) + eol);
     else await (await import('./screen.tsx')).show();`,
  );
  writeFileSync(
    join(dir, 'screen.tsx'),
    `import { Box, Text, renderToString } from 'ink';
     import stringWidth from 'string-width';
     export async function show() {
       console.log(renderToString(<Box borderStyle="round"><Text color="red">▂▃ 漢</Text></Box>, { columns: 12 }));
       console.log(JSON.stringify({ width: stringWidth('─漢'), here: import.meta.dirname, mode: process.env.NODE_ENV, http: process.moduleLoadList.some((name) => name.includes('undici/undici')) }));
     }`,
  );
  const { metafile } = await bundle(join(dir, 'out'), { entry: join(dir, 'main.ts') });
  inputs = Object.keys(metafile?.inputs ?? {});
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const start = (...args: string[]): string => run(process.execPath, [join(dir, 'out/kbtop.mjs'), ...args], { env: { PATH: process.env['PATH'] } }).stdout;

describe('the bundle', () => {
  it("knows the package's version", () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(start('version')).toBe(`${version}\n`);
  });

  it('keeps what needs a screen out of the entry', () => {
    const entry = readFileSync(join(dir, 'out/kbtop.mjs'), 'utf8');
    expect(entry).not.toMatch(/react|yoga/);
    expect(entry.length).toBeLessThan(2_000);
    expect(readdirSync(join(dir, 'out')).filter((name) => name.startsWith('kbtop-screen-') && name.endsWith('.mjs'))).toHaveLength(1);
  });

  it('draws with Ink, in production mode, without loading an HTTP client, each module in one directory', () => {
    const lines = start('show').trimEnd().split('\n');
    expect(lines.slice(0, 3)).toEqual(['╭──────────╮', expect.stringContaining('▂▃ 漢'), '╰──────────╯']);
    expect(JSON.parse(lines[3] ?? '')).toEqual({ width: 3, here: join(dir, 'out'), mode: 'production', http: false });
  });

  it('measures and tokenizes with the short ways, over one copy of each package', () => {
    const copies = (part: string): string[] => inputs.filter((input) => input.includes(part));
    expect(copies('src/ui/ink/fast-')).toHaveLength(3);
    expect(copies('/string-width/')).toEqual(['node_modules/string-width/index.js']);
    expect(copies('react-devtools-core')).toEqual(['stub:react-devtools-core']);
  });
});
