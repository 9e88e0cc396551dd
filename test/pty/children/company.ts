/** A screen of the session at the socket COMPANY_SOCKET (see relay.ts). */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Company, SharedView, Viewer } from '../../../src/frame/company.ts';
import { runUi } from '../../../src/ui/run.tsx';
import { fakeSource } from '../../ui/fixtures.ts';
import type { FromScreen, ToScreen } from '../relay.ts';

const env = process.env;
const socket = connect(env['COMPANY_SOCKET'] ?? '');
const source = fakeSource();
const listeners = new Set<(change: 'viewers' | 'view') => void>();
let told: { self: number | null; viewers: readonly Viewer[]; view: SharedView | null } = { self: null, viewers: [], view: null };
const say = (message: FromScreen): void => void socket.write(`${JSON.stringify(message)}\n`);
const lost = (): void => {
  told = { self: null, viewers: [], view: null };
  for (const listener of listeners) listener('viewers');
};
createInterface(socket.on('error', () => {}).on('close', lost)).on('error', () => {}).on('line', (line) => {
  const message = JSON.parse(line) as ToScreen;
  if (message.kind === 'frame') {
    source.emit(message.frame);
    return;
  }
  told = message;
  for (const listener of listeners) listener(message.change);
});

const company: Company = {
  get self() { return told.self; },
  get viewers() { return told.viewers; },
  get view() { return told.view; },
  drive: (on) => say({ kind: 'drive', on }),
  follow: (on) => say({ kind: 'follow', on }),
  share: (view) => say({ kind: 'share', view }),
  subscribe(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

const code = await runUi(source, { color: 'auto', ascii: env['COMPANY_ASCII'] !== undefined, intervalMs: 1000, readOnly: false, scope: null, saveDirectory: process.cwd(), version: env['COMPANY_VERSION'] ?? '0.0.0', company });
socket.destroy();
process.exit(code);
