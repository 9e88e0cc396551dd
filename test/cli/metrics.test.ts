import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addMetricsFlags, parseMetricsAddress, serveMetrics } from '../../src/cli/metrics.ts';
import { FakeSource } from '../session/metrics/source.ts';

describe('parseMetricsAddress', () => {
  it.each([
    ['127.0.0.1:9435', '127.0.0.1', 9435], ['[::1]:0', '::1', 0], [':9435', '127.0.0.1', 9435], ['9435', '127.0.0.1', 9435], ['localhost:1', '127.0.0.1', 1],
    ['0.0.0.0:9435', '0.0.0.0', 9435], ['[::]:9435', '::', 9435], ['10.1.2.3:65535', '10.1.2.3', 65_535],
  ])('%s', (text, host, port) => expect(parseMetricsAddress(text)).toEqual({ host, port }));

  it.each([
    ['', /is no address with a port/], ['127.0.0.1', /no address with a port/], ['::1:9435', /no address with a port/], ['127.0.0.1:', /no address/], [':-1', /no address/], ['http://127.0.0.1:1', /no address/],
    [':65536', /has a port above 65535/], ['node-1:9435', /needs an IP address, not a name/], ['1.2.3:9435', /needs an IP address/], ['[127.0.0.1]:1', /no IPv6 address/], ['[fe80::1%eth0]:x', /no address/],
  ])('refuses %j', (text, why) => {
    expect(() => parseMetricsAddress(text)).toThrow(expect.objectContaining({ exitCode: 2, message: expect.stringMatching(why) as string }) as Error);
    expect(() => parseMetricsAddress(text)).toThrow(/^--metrics "/);
  });
});

describe('the flags', () => {
  const parse = (...argv: string[]) => addMetricsFlags(new Command().exitOverride()).parse(argv, { from: 'user' }).opts();

  it('are read', () => {
    expect(parse('--metrics', ':9435', '--metrics-max-series', '500')).toEqual({ metrics: { host: '127.0.0.1', port: 9435 }, metricsMaxSeries: 500 });
    for (const bad of ['99', '1e4', '-5', '1000001']) expect(() => parse('--metrics-max-series', bad)).toThrow(/^--metrics-max-series .* is not a whole number from 100 to 1000000$/);
  });

  it('start nothing unless asked to', async () => {
    expect(await serveMetrics(new FakeSource(), {}, null)).toBeNull();
    const endpoint = await serveMetrics(new FakeSource(), { metrics: { host: '127.0.0.1', port: 0 } }, null);
    expect(endpoint?.address.port).toBeGreaterThan(0);
    await endpoint?.close();
  });
});
