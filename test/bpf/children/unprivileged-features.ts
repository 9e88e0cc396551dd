/** Tries program features as nobody; reads the objects while it may. */
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { objectPath } from '../../../src/bpf/objects.ts';
import { programFeatures } from '../../../src/bpf/program-features.ts';
import { addon } from '../../native/support.ts';

addon();
// The checkout may be root's alone.
const directory = mkdtempSync(join(tmpdir(), 'kbtop-'));
chmodSync(directory, 0o755);
cpSync(dirname(objectPath('features/tp_btf')), join(directory, 'features'), { recursive: true });
process.env['KBTOP_BPF_DIR'] = directory;
process.seteuid?.(65534);
const rows = await programFeatures(addon(), ['tp_btf', 'raw_tp']);
process.seteuid?.(0);
rmSync(directory, { recursive: true });
process.stdout.write(`${JSON.stringify({ rows })}\n`);
