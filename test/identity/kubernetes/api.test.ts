import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { passPause, until } from './support/clock.ts';
import { bookmark, CID, fixture, pod, recordedPods, status, TestCluster, type Watch } from './support/cluster.ts';
import { sendJson } from './support/server.ts';
import { becomes, kubeconfig, of, World } from './support/source.ts';

let world: World;
let cluster: TestCluster;

beforeEach(async () => {
  world = new World();
  cluster = world.serve(new TestCluster());
  await cluster.server.listen();
  world.kubeconfig(cluster.server.url);
});
afterEach(() => world.close());

/** Lets the pause that the source makes pass. @returns its milliseconds */
const next = (): Promise<number> => passPause(world.clock);

/** Time for what the other side has done to arrive here. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

/** Resolves when the watch has begun, and its next byte is what is waited for. */
const watching = (): Promise<void> => until('watching', () => world.clock.pending.includes(75_000));

/** Sends to an open watch, and resolves when that has been read. */
async function deliver(watch: Watch, ...events: readonly object[]): Promise<void> {
  await watching();
  const { begun } = world.clock;
  watch.send(...events);
  await until('read', () => world.clock.begun > begun);
}

describe('a list', () => {
  it('names the pods of a real node', async () => {
    cluster.pods = recordedPods();
    const source = world.api();
    await source.start();
    expect(source.state).toEqual({ status: 'ok', reason: `${cluster.server.url} (context test of ${world.env['HOME']}/.kube/config): 7 pods on node node1`, fix: null });
    expect(source.lookup(of('84fd5ededb7dbda5ad1d355eecfcea3171e727a11bdd16f2d2a61a6ea8ba7446'))).toMatchObject({ namespace: 'shop', pod: 'guar', container: 'g', image: 'localhost/busybox:1', qos: 'Guaranteed' });
    expect(source.lookup(of(null, '2d2de79d1cfa69921b0c0b338cc98078'))).toMatchObject({ pod: 'static-web-node1', owner: { kind: 'Node', name: 'node1' } });
    expect(world.changed).toContain('2d2de79d1cfa69921b0c0b338cc98078');
    expect(cluster.lists[0]?.url.search).toBe('?fieldSelector=spec.nodeName%3Dnode1&limit=500');
    expect(cluster.lists[0]?.headers).toMatchObject({ authorization: 'Bearer secret', accept: 'application/json' });
    expect(cluster.lists[0]?.headers['accept-encoding']).toBeUndefined();
  });

  it('comes in pages, over one connection', async () => {
    cluster.pods = Array.from({ length: 7 }, (_, i) => pod(`p${i}`, `u${i}`, i));
    cluster.pageSize = 3;
    const source = world.api();
    await source.start();
    await cluster.watch(1);
    expect(cluster.lists.map(({ url }) => url.searchParams.get('continue'))).toEqual([null, '3', '6']);
    for (let i = 0; i < 7; i++) expect(source.lookup(of(CID(i)))?.pod).toBe(`p${i}`);
    expect(cluster.server.connections).toBe(1);
  });

  it('whose next page is no longer kept begins anew', async () => {
    cluster.pods = Array.from({ length: 4 }, (_, i) => pod(`p${i}`, `u${i}`, i));
    cluster.pageSize = 3;
    cluster.refusals.push((request, response) => request.url.searchParams.has('continue') && status(410)(request, response));
    const source = world.api();
    const started = source.start();
    await next();
    await started;
    expect(cluster.lists.map(({ url }) => url.searchParams.get('continue'))).toEqual([null, '3', null, '3']);
    expect(source.state.status).toBe('ok');
  });

  it('of no pods asks whether there is such a node, and says so when not', async () => {
    cluster.nodes = ['worker-1'];
    const source = world.api();
    await source.start();
    expect(source.state).toMatchObject({ status: 'failing', fix: expect.stringContaining('--node NAME') as string });
    expect(source.state.reason).toContain('knows no node node1');
    const watch = await cluster.watch(1);
    expect([source.state.status, cluster.server.connections]).toEqual(['failing', 1]);
    // Other trouble, and its end, do not hide that.
    watch.reset();
    await until('reset', () => source.state.reason.includes('reset'));
    await next();
    await until('as before', () => source.state.reason.includes('knows no node'));
    (await cluster.watch(2)).send({ type: 'ADDED', object: pod('first', 'u1', 1) });
    await becomes(source, 'ok');
  });

  it.each<[string, string[] | null]>([['the node is there', ['node1']], ['nodes may not be read', null]])('of no pods is all well when %s', async (_, nodes) => {
    cluster.nodes = nodes;
    const source = world.api();
    await source.start();
    expect(source.state).toMatchObject({ status: 'ok', reason: expect.stringMatching(/: 0 pods on node node1$/) as string });
  });

  it.each<[string, string]>([['no JSON', '<html>'], ['no list', '{"kind":"Status"}'], ['cut short', '{"kind":"PodList","items":[']])('that is %s is a failure', async (_, body) => {
    cluster.refuse = (_request, response) => {
      sendJson(response, body);
      return true;
    };
    const source = world.api();
    await source.start();
    expect(source.state).toMatchObject({ status: 'failing', reason: expect.stringContaining('its answer is no') as string });
  });
});

describe('a watch', () => {
  it('begins at the version of the list, with bookmarks and an end', async () => {
    cluster.pods = [pod('web', 'u1', 1)];
    const source = world.api();
    await source.start();
    const { request } = await cluster.watch(1);
    const query = request.url.searchParams;
    expect([query.get('watch'), query.get('allowWatchBookmarks'), query.get('fieldSelector'), query.get('resourceVersion')]).toEqual(['true', 'true', 'spec.nodeName=node1', '100']);
    expect(Number(query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(280);
    expect(Number(query.get('timeoutSeconds'))).toBeLessThanOrEqual(336);
  });

  it('that was recorded is read the same wherever it is split, also within a character', async () => {
    const recorded = fixture('watch.jsonl').replaceAll('"app":"web"', '"app":"wéb-漢-🙂"');
    const source = world.api();
    await source.start();
    let runs = 0;
    await fc.assert(fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: Buffer.byteLength(recorded) - 1 }), { maxLength: 12 }), async (points) => {
      const watch = await cluster.watch(++runs);
      // Uids of its own, so that nothing is known from the last time.
      const mark = runs.toString(16).padStart(8, '0');
      const bytes = Buffer.from(recorded.replaceAll('"uid":"eb2bcc11', `"uid":"${mark}`).replaceAll('"uid":"4421a051', `"uid":"${mark}`).replaceAll('"uid":"d0d57f39', `"uid":"${mark}`));
      let from = 0;
      for (const to of [...points, bytes.length].sort((a, b) => a - b)) {
        watch.raw(bytes.subarray(from, to));
        from = to;
        // A pause makes each a chunk of its own.
        await new Promise((resolve) => setImmediate(resolve));
      }
      watch.end();
      await next();
      expect((await cluster.watch(runs + 1)).from).toBe('556');
      expect(source.lookup(of(null, `${mark}-6cfa-4185-9d5d-deb6873a7ff1`))).toMatchObject({ pod: 'p1', labels: { app: 'wéb-漢-🙂' } });
      const tick = [`${mark}-0174-43cf-a287-48f21e348f2a`, `${mark}-121f-4ce9-9fbf-78d82b918964`].map((uid) => source.lookup(of(null, uid))).find((names) => names !== null);
      expect(tick).toMatchObject({ pod: 'tick-29920448-nl5ml', owner: { kind: 'CronJob', name: 'tick' }, podStatus: { status: 'Completed' } });
      expect(source.state).toMatchObject({ status: 'ok', reason: expect.stringMatching(new RegExp(`: ${runs} pods? on`)) as string });
      expect(cluster.lists).toHaveLength(1);
    }), { numRuns: 40 });
  });

  it('decodes a character across two chunks', async () => {
    const source = world.api();
    await source.start();
    const watch = await cluster.watch(1);
    const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: { ...pod('web', 'u1'), metadata: { ...pod('web', 'u1').metadata, labels: { name: '漢🙂' } } } })}\n`);
    const [first, second] = [bytes.indexOf('漢') + 1, bytes.indexOf('🙂') + 2];
    for (const part of [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]) {
      watch.raw(part);
      // Only what has been read apart was split.
      await settle();
    }
    await until('the pod', () => source.lookup(of(null, 'u1')) !== null);
    expect(source.lookup(of(null, 'u1'))?.labels).toEqual({ name: '漢🙂' });
  });

  it('that ended goes on where it was, over the same connection, and not hot', async () => {
    const source = world.api();
    await source.start();
    (await cluster.watch(1)).send(bookmark('150'));
    (await cluster.watch(1)).end();
    expect(await next()).toBe(700);
    const second = await cluster.watch(2);
    expect([second.from, cluster.lists.length, cluster.server.connections]).toEqual(['150', 1, 1]);
    // One that has been open for its time is followed at once.
    await watching();
    world.clock.pass(70_000);
    await deliver(second, bookmark('160'));
    second.end();
    expect((await cluster.watch(3)).from).toBe('160');
    expect([source.state.status, cluster.server.connections]).toEqual(['ok', 1]);
  });

  it('that ends at once again and again is opened less and less often', async () => {
    const source = world.api();
    await source.start();
    const pauses: number[] = [];
    for (let n = 1; n <= 8; n++) {
      (await cluster.watch(n)).end();
      pauses.push(await next());
    }
    expect(pauses).toEqual([700, 1_400, 2_800, 5_600, 11_200, 22_400, 42_000, 42_000]);
  });

  it('that falls silent is given up after 75 s, with its connection, and goes on where it was', async () => {
    const source = world.api();
    await source.start();
    const first = await cluster.watch(1);
    await deliver(first, bookmark('170'));
    world.clock.pass(74_000);
    await deliver(first, bookmark('171'));
    world.clock.pass(74_000);
    await settle();
    expect(cluster.watches).toHaveLength(1);
    world.clock.pass(2_000);
    const second = await cluster.watch(2);
    expect([second.from, cluster.server.connections, cluster.lists.length, source.state.status]).toEqual(['171', 2, 1, 'ok']);
  });

  it.each<[string, number, () => void]>([
    ['a code alone', 1, () => cluster.watches[0]?.send({ type: 'ERROR', object: { kind: 'Status', code: 410 } })],
    ['a reason alone', 1, () => cluster.watches[0]?.send({ type: 'ERROR', object: { kind: 'Status', reason: 'Expired' } })],
    ['an event in an answer of 200', 1, () => cluster.watches[0]?.raw(fixture('watch-410.jsonl'))],
    ['a status', 2, () => {
      cluster.refusals.push((request, response) => request.url.searchParams.has('watch') && status(410)(request, response));
      cluster.watches[0]?.end();
    }],
  ])('whose version is too old, told by %s, is followed by a new list', async (_, pauses, expire) => {
    cluster.pods = [pod('old', 'u1', 1)];
    const source = world.api();
    await source.start();
    await cluster.watch(1);
    cluster.pods = [pod('new', 'u2', 2)];
    cluster.version = '900';
    expire();
    for (let n = 0; n < pauses; n++) await next();
    expect((await cluster.watch(2)).from).toBe('900');
    expect(source.lookup(of(CID(2)))?.pod).toBe('new');
    // The ordinary end of an old version is no failure.
    expect([source.state.status, cluster.lists.length, world.debug]).toEqual(['ok', 2, []]);
  });

  it('whose every version is too old is not asked hot', async () => {
    cluster.refuse = (request, response) => request.url.searchParams.has('watch') && status(410)(request, response);
    const source = world.api();
    await source.start();
    const pauses: number[] = [];
    for (let n = 0; n < 5; n++) pauses.push(await next());
    expect(pauses).toEqual([700, 1_400, 2_800, 5_600, 11_200]);
  });

  it.each<[string, object, RegExp]>([
    ['an error of its own', { type: 'ERROR', object: { kind: 'Status', code: 500, message: 'etcdserver: leader changed' } }, /ended the watch with 500: etcdserver: leader changed/],
    ['an error without a code', { type: 'ERROR', object: {} }, /ended the watch with an error/],
  ])('that tells of %s is followed by a new list', async (_, event, reason) => {
    const source = world.api();
    await source.start();
    (await cluster.watch(1)).send(event);
    await becomes(source, 'failing');
    expect(source.state.reason).toMatch(reason);
    await next();
    await becomes(source, 'ok');
    await cluster.watch(2);
    expect(cluster.lists).toHaveLength(2);
  });

  it('with a line that is no JSON is followed by a new list; what came before stays', async () => {
    const source = world.api();
    await source.start();
    const watch = await cluster.watch(1);
    watch.raw(`${JSON.stringify({ type: 'ADDED', object: pod('web', 'u1', 1) })}\nnonsense\n`);
    await becomes(source, 'failing');
    expect(source.lookup(of(CID(1)))?.pod).toBe('web');
    await next();
    await cluster.watch(2);
    expect(cluster.lists).toHaveLength(2);
  });

  it('with a line without end is given up', async () => {
    const source = world.api();
    await source.start();
    const watch = await cluster.watch(1);
    const megabytes = Buffer.alloc(1024 * 1024, 'x');
    for (let i = 0; i <= 16; i++) watch.raw(megabytes);
    await becomes(source, 'failing');
    expect(source.state.reason).toContain('a line is longer than 16777216 bytes');
  });

  it('ignores what it does not know', async () => {
    const source = world.api();
    await source.start();
    const watch = await cluster.watch(1);
    watch.send({ type: 'SOMETHING', object: pod('x', 'u9', 9) }, { type: 'ADDED' }, { type: 'ADDED', object: 7 }, [] as object, { type: 'ADDED', object: pod('web', 'u1', 1) });
    await until('the pod', () => source.lookup(of(CID(1))) !== null);
    expect([source.lookup(of(CID(9))), source.state.status]).toEqual([null, 'ok']);
  });
});

describe('pods that come and go', () => {
  it('are told with the ids that have news', async () => {
    const source = world.api();
    await source.start();
    const watch = await cluster.watch(1);
    watch.send({ type: 'ADDED', object: pod('web', 'u1') });
    await until('the pod', () => world.changed.includes('u1'));
    expect(source.lookup(of(CID(1), 'u1'))).toMatchObject({ pod: 'web' });
    expect(source.lookup(of(CID(1), 'u1'))?.container).toBeUndefined();
    watch.send({ type: 'MODIFIED', object: pod('web', 'u1', 1) });
    await until('the container', () => world.changed.includes(CID(1)));
    expect(source.lookup(of(CID(1), 'u1'))).toMatchObject({ pod: 'web', container: 'app', image: 'app:1', podStatus: { ready: 1, containers: 1, status: 'Running' } });
  });

  it('stay known for a while after they are deleted', async () => {
    cluster.pods = [pod('job', 'u1', 1)];
    const source = world.api();
    await source.start();
    (await cluster.watch(1)).send({ type: 'DELETED', object: pod('job', 'u1', 1) });
    await until('deleted', () => source.state.reason.includes(': 0 pods'));
    expect(source.lookup(of(CID(1)))?.pod).toBe('job');
  });

  it('are missed when their end was, until the next list', async () => {
    cluster.pods = [pod('gone', 'u1', 1), pod('stays', 'u2', 2)];
    const source = world.api();
    await source.start();
    cluster.pods = [pod('stays', 'u2', 2)];
    (await cluster.watch(1)).raw(fixture('watch-410.jsonl'));
    await next();
    await cluster.watch(2);
    expect(source.state.reason).toMatch(/: 1 pod on/);
    expect(source.lookup(of(CID(1)))?.pod).toBe('gone');
  });

  it('may have the name of another before', async () => {
    cluster.pods = [pod('db-0', 'u1', 1)];
    const source = world.api();
    await source.start();
    (await cluster.watch(1)).send({ type: 'DELETED', object: pod('db-0', 'u1', 1) }, { type: 'ADDED', object: pod('db-0', 'u2', 2) });
    await until('the new one', () => source.lookup(of(CID(2))) !== null);
    expect([source.lookup(of(CID(1)))?.podUid, source.lookup(of(CID(2)))?.podUid]).toEqual(['u1', 'u2']);
  });
});

describe('trouble', () => {
  it('reset mid-line: the line is dropped, and the watch goes on where it was', async () => {
    const source = world.api();
    await source.start();
    const watch = await cluster.watch(1);
    watch.send({ type: 'ADDED', object: pod('web', 'u1', 1, '120') });
    watch.raw('{"type":"ADDED","object":{"metadata":{"name":"half","names');
    await until('the first pod', () => source.lookup(of(CID(1))) !== null);
    watch.reset();
    await becomes(source, 'failing');
    expect(source.state.reason).toContain('the connection was reset');
    expect(source.lookup(of(CID(1)))?.pod).toBe('web');
    await next();
    await becomes(source, 'ok');
    expect((await cluster.watch(2)).from).toBe('120');
    expect(cluster.lists).toHaveLength(1);
  });

  it('the server stops and comes back at the same port: names stay, pauses grow, and it goes on', async () => {
    cluster.pods = [pod('web', 'u1', 1)];
    const source = world.api();
    await source.start();
    await deliver(await cluster.watch(1), bookmark('130'));
    await cluster.server.stop();
    await becomes(source, 'failing');
    const pauses = [await next()];
    for (let n = 0; n < 6; n++) {
      await until('refused', () => source.state.reason.includes('connection refused'));
      pauses.push(await next());
    }
    expect(pauses).toEqual([700, 1_400, 2_800, 5_600, 11_200, 22_400, 42_000]);
    expect(source.lookup(of(CID(1)))?.pod).toBe('web');
    await until('a pause', () => world.clock.pending.includes(42_000));
    await cluster.server.listen();
    world.clock.pass(42_000);
    await becomes(source, 'ok');
    const again = await cluster.watch(2);
    expect(again.from).toBe('130');
    // What came after is a new beginning for the pauses.
    again.send({ type: 'ADDED', object: pod('new', 'u2', 2) });
    await until('the new pod', () => source.lookup(of(CID(2))) !== null);
    again.reset();
    expect(await next()).toBe(700);
  });

  it('a kept connection that was closed just as it was used again is no trouble', async () => {
    const source = world.api();
    await source.start();
    await cluster.watch(1);
    cluster.refusals.push((_, response) => {
      cluster.server.reset(response);
      return true;
    });
    cluster.watches[0]?.end();
    await next();
    await cluster.watch(2);
    expect([source.state.status, cluster.server.connections, world.debug]).toEqual(['ok', 2, []]);
  });

  it('whoever listens and throws does not stop the watch', async () => {
    cluster.pods = [pod('web', 'u1', 1)];
    const source = world.api();
    source.onChange(() => {
      throw new Error('stumbled');
    });
    await source.start();
    (await cluster.watch(1)).send({ type: 'ADDED', object: pod('new', 'u2', 2) });
    await until('the pod', () => source.lookup(of(CID(2))) !== null);
    (await cluster.watch(1)).send({ type: 'ADDED', object: pod('newer', 'u3', 3) });
    await until('the next pod', () => source.lookup(of(CID(3))) !== null);
    expect([source.state.status, cluster.watches.length, world.debug.length]).toEqual(['ok', 1, 3]);
  });

  it('401: what is in the files now is tried once, then there is a long pause', async () => {
    cluster.refuse = (request, response) => request.headers.authorization !== 'Bearer renewed' && status(401, fixture('401.json'))(request, response);
    const source = world.api();
    await source.start();
    expect(cluster.server.asked).toHaveLength(2);
    expect(source.state).toMatchObject({ status: 'failing', reason: expect.stringContaining('answered 401: Unauthorized') as string, fix: expect.stringContaining('renew the credentials') as string });
    world.kubeconfig(cluster.server.url, { token: 'renewed' });
    expect(await next()).toBeGreaterThanOrEqual(60_000);
    await becomes(source, 'ok');
  });

  it('401 in the middle: a token that was replaced is read', async () => {
    const file = world.file('token', 'first\n');
    world.kubeconfig(cluster.server.url, { tokenFile: '../../token' });
    cluster.refuse = (request, response) => request.headers.authorization !== `Bearer ${valid}` && status(401)(request, response);
    let valid = 'first';
    const source = world.api();
    await source.start();
    expect(source.state.status).toBe('ok');
    const watch = await cluster.watch(1);
    valid = 'second';
    world.file('token', 'second\n');
    watch.end();
    await next();
    await cluster.watch(2);
    expect([source.state.status, file]).toEqual(['ok', `${world.dir}/token`]);
  });

  it('403: a long pause, and what to allow to whom', async () => {
    cluster.refuse = status(403, fixture('403.json'));
    const source = world.api();
    await source.start();
    expect(source.state.reason).toContain('answered 403: pods is forbidden: User "system:serviceaccount:default:default" cannot list');
    expect(source.state.fix).toBe('allow list and watch of pods: kubectl create clusterrole kbtop --verb=list,watch --resource=pods && kubectl create clusterrolebinding kbtop --clusterrole=kbtop --serviceaccount=default:default');
    expect(world.clock.pending).toEqual([84_000]);
    world.clock.pass(83_000);
    await settle();
    expect(cluster.server.asked).toHaveLength(1);
    cluster.refuse = null;
    world.clock.pass(1_000);
    await becomes(source, 'ok');
  });

  it.each<[number, Record<string, string>, number]>([
    [429, { 'retry-after': '17' }, 17_000], [503, { 'retry-after': '7' }, 7_000], [429, { 'retry-after': '0' }, 700], [429, {}, 700], [503, { 'retry-after': 'soon' }, 700], [500, {}, 700], [429, { 'retry-after': '999999' }, 600_000],
  ])('%d with %j waits %d ms', async (code, headers, want) => {
    cluster.refusals.push(status(code, undefined, headers));
    const source = world.api();
    await source.start();
    expect(source.state).toMatchObject({ status: 'failing', reason: expect.stringContaining(`answered ${code}`) as string });
    expect(await next()).toBe(want);
    await becomes(source, 'ok');
  });

  it('429 while watching keeps the version; 500 begins with a list', async () => {
    const source = world.api();
    await source.start();
    await cluster.watch(1);
    cluster.refusals.push((request, response) => request.url.searchParams.has('watch') && status(429)(request, response));
    cluster.watches[0]?.end();
    await next();
    await becomes(source, 'failing');
    await next();
    await cluster.watch(2);
    expect(cluster.lists).toHaveLength(1);
    cluster.refusals.push((request, response) => request.url.searchParams.has('watch') && status(500)(request, response));
    cluster.watches[1]?.end();
    await next();
    await becomes(source, 'failing');
    await next();
    await cluster.watch(3);
    expect(cluster.lists).toHaveLength(2);
  });

  it('a server that takes the request and says nothing is left after 15 s', async () => {
    cluster.refuse = () => true;
    const source = world.api();
    const started = source.start();
    await cluster.server.askedFor(1);
    world.clock.pass(15_000);
    await started;
    await becomes(source, 'failing');
    expect(source.state.reason).toContain('has not said anything for 15 s');
  });

  it('a server that stops in the middle of a list is left, too', async () => {
    cluster.refuse = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"kind":"PodList"');
      return true;
    };
    const source = world.api();
    const started = source.start();
    await cluster.server.askedFor(1);
    await until('reading', () => world.clock.pending.includes(15_000));
    await settle();
    world.clock.pass(15_000);
    await started;
    await becomes(source, 'failing');
    expect(source.state.reason).toContain('has not said anything');
  });

  it('does not keep start() waiting for longer than 5 s', async () => {
    cluster.refuse = () => true;
    const source = world.api();
    const started = source.start();
    await cluster.server.askedFor(1);
    world.clock.pass(5_000);
    await started;
    expect(source.state.status).toBe('starting');
  });

  it('a name that does not resolve is said so', async () => {
    const source = world.api({ kubeconfig: world.file('other', kubeconfig('https://api.kbtop.invalid:6443')) });
    await source.start();
    expect(source.state.reason).toMatch(/the host name api\.kbtop\.invalid does not resolve|the name server does not answer for api\.kbtop\.invalid/);
  });
});

describe('the end', () => {
  it('leaves nothing: no connection, no timer, no callback', async () => {
    const source = world.api();
    await source.start();
    const watch = await cluster.watch(1);
    source.close();
    source.close();
    await until('closed', () => cluster.server.open === 0);
    expect(world.clock.pending).toEqual([]);
    world.changed.length = 0;
    watch.send({ type: 'ADDED', object: pod('late', 'u1', 1) });
    await settle();
    expect(world.changed).toEqual([]);
  });

  it('comes at once, also in the middle of the first request', async () => {
    cluster.refuse = () => true;
    const source = world.api();
    const started = source.start();
    await cluster.server.askedFor(1);
    source.close();
    await started;
    await until('closed', () => cluster.server.open === 0);
    expect(world.clock.pending).toEqual([]);
  });

  it('comes at once, also in a pause', async () => {
    cluster.refuse = status(403);
    const source = world.api();
    await source.start();
    source.close();
    expect(world.clock.pending).toEqual([]);
  });
});
