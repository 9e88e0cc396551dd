import { describe, expect, it } from 'vitest';
import { negotiateFormat, wantsGzip } from '../../../src/session/metrics/negotiate.ts';

describe('negotiateFormat', () => {
  it.each([
    // As Prometheus 2.42 and 3.x ask.
    ['application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'openmetrics'],
    ['application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2', 'openmetrics'],
    ['application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2', 'openmetrics'],
    [undefined, 'prometheus'], ['', 'prometheus'], ['*/*', 'prometheus'], ['text/html,application/xhtml+xml,*/*;q=0.8', 'prometheus'],
    ['text/plain;version=0.0.4', 'prometheus'], ['text/plain,application/openmetrics-text;q=0.5', 'prometheus'],
    ['application/openmetrics-text', 'openmetrics'], ['Application/OpenMetrics-Text; Version="1.0.0"', 'openmetrics'],
    ['application/openmetrics-text;version=0.0.1', 'prometheus'], ['application/openmetrics-text;q=0', 'prometheus'], ['application/openmetrics-text;q=x', 'prometheus'],
    [',;=,'.repeat(5000), 'prometheus'],
  ])('%j: %s', (accept, format) => expect(negotiateFormat(accept)).toBe(format));
});

describe('wantsGzip', () => {
  it.each([['gzip', true], ['gzip, deflate', true], ['GZIP;q=0.5', true], ['*', true], ['gzip;q=0', false], ['gzip;q=0, *', false], ['deflate', false], ['identity', false], ['', false], [undefined, false]])(
    '%j: %s', (encoding, wants) => expect(wantsGzip(encoding)).toBe(wants));
});
