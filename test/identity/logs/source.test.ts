import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogsSource } from '../../../src/identity/logs/source.ts';
import { cid, fixture, Heard, sleep, TestHost } from '../test-host.ts';

const APP = '2731f42f88f800d3bab397435d27d2c3f1295bbb8a1e075ab32ea092d8566dbc';
const UID = '185def3c-11ae-4a03-9203-d1a265548687';
const STATIC = '2d2de79d1cfa69921b0c0b338cc98078';
const LINKS = '/var/log/containers';
const PODS = '/var/log/pods';

describe('the source of log names', () => {
  let host: TestHost;
  let heard: Heard;
  beforeEach(() => {
    host = new TestHost();
  });
  afterEach(() => {
    heard[Symbol.dispose]();
    host[Symbol.dispose]();
  });

  const started = async (): Promise<void> => {
    heard = new Heard(createLogsSource(host.options));
    await heard.source.start();
  };
  const recorded = (): void => {
    for (const line of fixture('varlog.txt').trim().split('\n')) {
      if (line.startsWith('/')) host.mkdir(line);
      else host.link(`${LINKS}/${line}`, '/var/log/pods/x/0.log');
    }
  };
  const link = (name: string): void => symlinkSync('/x', host.path(`${LINKS}/${name}`));

  it('names everything that a node had', async () => {
    recorded();
    await started();
    expect(heard.source.lookup({ containerId: APP, podUid: UID })).toEqual({ kind: 'pod', namespace: 'shop', pod: 'web-9d6c486f5-g6wg4', container: 'app', podUid: UID });
    expect(heard.source.lookup({ containerId: APP, podUid: null })).toEqual({ kind: 'pod', namespace: 'shop', pod: 'web-9d6c486f5-g6wg4', container: 'app' });
    expect(heard.source.lookup({ containerId: null, podUid: STATIC })).toEqual({ namespace: 'kube-system', pod: 'static-web-node1', podUid: STATIC });
    expect(heard.source.lookup({ containerId: cid(1), podUid: STATIC })).toEqual({ namespace: 'kube-system', pod: 'static-web-node1', podUid: STATIC });
    expect(heard.source.lookup({ containerId: cid(1), podUid: null })).toBeNull();
    expect([heard.ids.size, heard.calls.length <= 2]).toEqual([21, true]);
    expect(heard.source.state).toEqual({ status: 'ok', reason: `reads the names in ${host.path(LINKS)} (13), ${host.path(PODS)} (8)`, fix: null });
  });

  it('hears of new ones, and keeps what is gone', async () => {
    host.mkdir(LINKS);
    host.mkdir(PODS);
    await started();
    link(`web-1_shop_app-${cid(1)}.log`);
    host.mkdir(`${PODS}/shop_web-1_${UID}`);
    await heard.heard(cid(1), 2_000);
    await heard.heard(UID, 2_000);
    host.remove('/var/log');
    await sleep(50);
    expect(heard.source.lookup({ containerId: cid(1), podUid: UID })).toMatchObject({ pod: 'web-1', container: 'app' });
  });

  it('looks again when something unknown is noticed', async () => {
    await started();
    expect(heard.source.state.status).toBe('absent');
    expect(heard.source.state.reason).toBe(`no logs of the kubelet: there is neither ${host.path(LINKS)} nor ${host.path(PODS)}`);
    host.mkdir(LINKS);
    link(`web-1_shop_app-${cid(1)}.log`);
    heard.source.notice?.({ containerId: cid(1), podUid: UID });
    await heard.heard(cid(1), 2_000);
    expect(heard.source.state.status).toBe('ok');
    link(`web-1_shop_app-${cid(2)}.log`);
    await heard.heard(cid(2), 2_000);
  });

  it('watches a directory that was made anew', async () => {
    host.mkdir(LINKS);
    await started();
    host.remove(LINKS);
    await sleep(50);
    host.mkdir(LINKS);
    heard.source.notice?.({ containerId: cid(1), podUid: UID });
    await sleep(600);
    link(`web-1_shop_app-${cid(1)}.log`);
    await heard.heard(cid(1), 2_000);
  });

  it('follows links of the host', async () => {
    host.mkdir(`/mnt/log/pods/shop_web-1_${UID}`);
    host.link('/var/log', '/mnt/log');
    await started();
    expect(heard.source.lookup({ containerId: null, podUid: UID })?.pod).toBe('web-1');
  });

  it('is not harmed by hostile names', async () => {
    host.mkdir(LINKS);
    for (const name of ['\u001b[2J_shop_app', 'x\n_shop_app', `${'x'.repeat(185)}_shop_app`]) link(`${name}-${cid(1)}.log`.slice(0, 255));
    host.write(PODS, 'no directory');
    await started();
    expect(heard.source.lookup({ containerId: cid(1), podUid: UID })).toBeNull();
    expect(heard.source.state).toMatchObject({ status: 'ok', reason: `reads the names in ${host.path(LINKS)} (0)` });
  });

  it.runIf(process.getuid?.() === 0)('says that it needs root', async () => {
    execFileSync('chmod', ['755', host.root]);
    execFileSync('chmod', ['700', host.mkdir('/var/log')]);
    process.seteuid?.(65_534);
    try {
      await started();
    } finally {
      process.seteuid?.(0);
    }
    expect(heard.source.state).toEqual({ status: 'failing', reason: `cannot read ${host.path(LINKS)}: permission denied`, fix: 'run kbtop as root' });
  });

  it('tells nothing after close, and can be closed twice and before start', async () => {
    host.mkdir(LINKS);
    await started();
    heard.source.close();
    heard.source.close();
    link(`web-1_shop_app-${cid(1)}.log`);
    heard.source.notice?.({ containerId: cid(1), podUid: UID });
    await sleep(400);
    expect(heard.calls).toEqual([]);
    const other = createLogsSource(host.options);
    other.close();
    await other.start();
  });
});
