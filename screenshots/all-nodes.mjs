/** Bundles children/all-nodes.ts as the product is bundled, and becomes it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle } from '../tools/bundle.mjs';

const directory = mkdtempSync(join(tmpdir(), 'kbtop-all-nodes-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
await bundle(directory, { entry: join(import.meta.dirname, 'children/all-nodes.ts') });
await import(pathToFileURL(join(directory, 'kbtop.mjs')));
