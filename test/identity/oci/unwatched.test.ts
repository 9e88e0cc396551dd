import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLogsSource } from '../../../src/identity/logs/source.ts';
import { createOciSource } from '../../../src/identity/oci/source.ts';
import { cid, CONTAINERD, criConfig, Heard, sleep, TestHost } from '../test-host.ts';

vi.mock('node:fs', async (original) => ({
  ...(await original<object>()),
  watch: () => { throw Object.assign(new Error('System limit for number of file watchers reached'), { code: 'ENOSPC' }); },
}));

let host: TestHost;
beforeEach(() => {
  host = new TestHost();
});
afterEach(() => host[Symbol.dispose]());

it('looks often for what is noticed where inotify has no watches left, and says so', async () => {
  host.mkdir(CONTAINERD);
  using heard = new Heard(createOciSource(host.options));
  await heard.source.start();
  expect(heard.source.state).toMatchObject({ status: 'ok', reason: expect.stringContaining('cannot be watched (ENOSPC)') as string, fix: 'raise fs.inotify.max_user_watches' });
  heard.source.notice?.({ containerId: cid(1), podUid: null });
  await sleep(30);
  host.write(`${CONTAINERD}/${cid(1)}/config.json`, criConfig('web-1', 'app'));
  await heard.heard(cid(1), 900);
});

it('reads log names at every notice then', async () => {
  host.mkdir('/var/log/containers');
  using heard = new Heard(createLogsSource(host.options));
  await heard.source.start();
  expect(heard.source.state).toMatchObject({ status: 'ok', reason: expect.stringContaining('cannot be watched (ENOSPC)') as string, fix: 'raise fs.inotify.max_user_watches' });
  host.link(`/var/log/containers/web-1_shop_app-${cid(1)}.log`, '/x');
  heard.source.notice?.({ containerId: cid(1), podUid: '185def3c-11ae-4a03-9203-d1a265548687' });
  await heard.heard(cid(1), 2_000);
});
