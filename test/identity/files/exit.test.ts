import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cid, CONTAINERD, criConfig, TestHost } from '../test-host.ts';

const sources = join(import.meta.dirname, '../../../src/identity');

/** Run both sources in a process of their own that is left to end by itself. */
function run(host: TestHost, last: string): { readonly status: number | null; readonly out: string } {
  const script = `
    import { createOciSource } from ${JSON.stringify(join(sources, 'oci/source.ts'))};
    import { createLogsSource } from ${JSON.stringify(join(sources, 'logs/source.ts'))};
    const options = { hostRoot: ${JSON.stringify(host.root)}, debug() {} };
    const sources = [createOciSource(options), createLogsSource(options)];
    for (const source of sources) source.onChange(() => {});
    await Promise.all(sources.map((source) => source.start()));
    for (const source of sources) for (const id of [${JSON.stringify(cid(1))}, ${JSON.stringify(cid(2))}]) source.notice({ containerId: id, podUid: '185def3c-11ae-4a03-9203-d1a265548687' });
    const known = sources[0].lookup({ containerId: ${JSON.stringify(cid(1))}, podUid: null });
    ${last}
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8', timeout: 20_000 });
  return { status, out: stdout + stderr };
}

/** Directories that inotify still watches, and what else keeps Node waiting. */
const LEFT = `
  const { readdirSync, readFileSync } = await import('node:fs');
  const watches = readdirSync('/proc/self/fdinfo').flatMap((fd) => {
    try { return readFileSync('/proc/self/fdinfo/' + fd, 'utf8').split('\\n').filter((line) => line.startsWith('inotify wd')); } catch { return []; }
  });
  setImmediate(() => console.log(watches.length, JSON.stringify(process.getActiveResourcesInfo().filter((name) => name !== 'Immediate'))));
`;

it.each([
  ['after close', `for (const source of sources) source.close(); await new Promise((resolve) => setTimeout(resolve, 50)); ${LEFT}`, '0 []'],
  ['without close', LEFT, '3 ['],
])('nothing keeps the process alive %s', (_, last, left) => {
  using host = new TestHost();
  host.write(`${CONTAINERD}/${cid(1)}/config.json`, criConfig('web-1', 'app'));
  host.mkdir('/var/log/containers');
  const { status, out } = run(host, last);
  expect([status, out.trim().slice(0, left.length)]).toEqual([0, left]);
});
