import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseContainerLog, parsePodLogs } from '../../../src/identity/logs/names.ts';
import { cid, fixture } from '../test-host.ts';

const ID = cid(7);
const UID = '185def3c-11ae-4a03-9203-d1a265548687';

describe('names of log files', () => {
  it.each([
    [`web-1_shop_app-${ID}.log`, 'web-1', 'shop', 'app'],
    [`web-1_kube-system_my-side-car-${ID}.log`, 'web-1', 'kube-system', 'my-side-car'],
    [`a.b-c.example_n_${ID.slice(1, 60)}-${ID}.log`, 'a.b-c.example', 'n', ID.slice(1, 60)],
    [`0_0_0-${ID}.log`, '0', '0', '0'],
  ])('%s', (fileName, pod, namespace, container) => {
    expect(parseContainerLog(fileName)).toEqual({ pod, namespace, container, containerId: ID });
  });

  it.each([
    '', '.log', `-${ID}.log`, `web_shop_app-${ID}`, `web_shop_app-${ID}.log.1`, `web_shop_app-${ID.slice(1)}.log`, `web_shop_app-0${ID}.log`, `web_shop_app-${ID.toUpperCase().replace('0', 'A')}.log`,
    `web_shop-${ID}.log`, `web_shop_a_b-${ID}.log`, `web_shop_-${ID}.log`, `web_shop_app-.log`, `web__app-${ID}.log`, `_shop_app-${ID}.log`, `Web_shop_app-${ID}.log`, `web_sh.op_app-${ID}.log`,
    `-web_shop_app-${ID}.log`, `web-_shop_app-${ID}.log`, `web\n_shop_app-${ID}.log`, `web_shop_app-${ID}.log\n`, `wéb_shop_app-${ID}.log`, `\u001b[31m_shop_app-${ID}.log`, `${'a'.repeat(254)}_shop_app-${ID}.log`,
    // 255 bytes at most, so the kubelet cuts the id of a container with long names.
    `${'a'.repeat(180)}_shop_app-${ID}.log`.slice(0, 251) + '.log',
  ])('are refused: %j', (fileName) => {
    expect(parseContainerLog(fileName)).toBeNull();
  });

  it.each([[`shop_web-1_${UID}`, 'shop', 'web-1', UID], ['kube-system_static-web-node1_2d2de79d1cfa69921b0c0b338cc98078', 'kube-system', 'static-web-node1', '2d2de79d1cfa69921b0c0b338cc98078']])('of pods: %s', (name, namespace, pod, podUid) => {
    expect(parsePodLogs(name)).toEqual({ namespace, pod, podUid });
  });

  it.each(['', `shop_web_${UID}x`, `shop_${UID}`, `shop_web_${UID.toUpperCase()}`, `shop_web_${UID.replaceAll('-', '_')}`, `sh.op_web_${UID}`, 'shop_web_2d2de79d1cfa69921b0c0b338cc9807', `shop_web_${UID}\n`, `../shop_web_${UID}`])('of pods are refused: %j', (name) => {
    expect(parsePodLogs(name)).toBeNull();
  });

  it('reads every one that a node had', () => {
    const names = fixture('varlog.txt').trim().split('\n');
    const logs = names.filter((name) => name.endsWith('.log')).map(parseContainerLog);
    const pods = names.filter((name) => name.startsWith('/')).map((path) => parsePodLogs(path.split('/').at(-1) ?? ''));
    expect([logs.length, pods.length, logs.includes(null), pods.includes(null)]).toEqual([13, 8, false, false]);
    expect(logs).toContainEqual({ pod: 'web-9d6c486f5-g6wg4', namespace: 'shop', container: 'sidecar', containerId: '065caa502e03e1f3a5af92da25ee685c3d6ab27d6e67b60738a3458f1777c900' });
  });

  it('never throw and never invent: what is read writes the same name again', () => {
    const alphabet = fc.string({ unit: fc.constantFrom('a', '0', '-', '.', '_', ID, '.log', UID, 'A', '\n'), maxLength: 12 });
    fc.assert(fc.property(fc.oneof(alphabet, fc.string(), alphabet.map((text) => `${text}-${ID}.log`), alphabet.map((text) => `${text}_${UID}`)), (name) => {
      const [log, pod] = [parseContainerLog(name), parsePodLogs(name)];
      if (log) expect(`${log.pod}_${log.namespace}_${log.container}-${log.containerId}.log`).toBe(name);
      if (pod) expect(`${pod.namespace}_${pod.pod}_${pod.podUid}`).toBe(name);
      for (const part of [log?.pod, log?.namespace, log?.container, pod?.pod, pod?.namespace]) expect(part ?? 'a').toMatch(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/);
    }), { numRuns: 2_000 });
  });

  it('take no time over hostile names', () => {
    const begin = performance.now();
    for (const part of ['a', '-', 'a-', '.', '_', 'a_']) for (const length of [255, 100_000]) parseContainerLog(`${part.repeat(length / part.length)}-${ID}.log`);
    expect(performance.now() - begin).toBeLessThan(500);
  });
});
