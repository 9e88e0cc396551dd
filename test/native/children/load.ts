/** Loads one selftest object and says how it went. */
import type { BpfError } from '../../../src/bpf/addon.ts';
import { openAttached } from '../support.ts';

try {
  const object = await openAttached(process.argv[2] ?? 'counter');
  process.stdout.write(`${JSON.stringify({ ok: true })}\n`);
  object.close();
} catch (error) {
  const { code, message } = error as BpfError;
  process.stdout.write(`${JSON.stringify({ ok: false, code, message })}\n`);
}
