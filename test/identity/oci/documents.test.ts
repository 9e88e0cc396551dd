import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { annotationsOf, dockerConfigOf, dockerDirectoryOf, stateAnnotationsOf, storedContainersOf, stringsIn } from '../../../src/identity/oci/documents.ts';
import { cid, fixture } from '../test-host.ts';

const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('annotations of a config.json', () => {
  it.each(['containerd-app.json', 'containerd-static.json', 'crio-app.json', 'podman.json'])('are the same as those of the whole of %s', (name) => {
    const text = fixture(name);
    const { annotations } = JSON.parse(text) as { annotations: Record<string, string> };
    expect(annotationsOf(bytes(text))).toEqual(annotations);
    expect(annotationsOf(bytes(JSON.stringify(JSON.parse(text), null, 2)))).toEqual(annotations);
  });

  it('are the same on the short way and on the long one, whatever stands in them and around', () => {
    const strings = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.constantFrom('{', '}', '"', '\\', '"annotations":{', '\\"annotations":{"a":"b"}')));
    const around = fc.dictionary(fc.string().filter((key) => key !== 'annotations' && key !== '__proto__'), fc.oneof(fc.jsonValue(), strings));
    fc.assert(fc.property(around, strings, around, (before, annotations, after) => {
      const json = JSON.stringify(Object.fromEntries([...Object.entries(before), ['annotations', annotations], ...Object.entries(after)]));
      const whole = JSON.parse(json) as { annotations: Record<string, string> };
      expect(annotationsOf(bytes(json))).toEqual(Object.fromEntries(Object.entries(whole.annotations)));
    }), { numRuns: 500 });
  });

  it('are not those of a part that has the same name', () => {
    expect(annotationsOf(bytes({ linux: { annotations: { a: 'wrong' } }, annotations: { a: 'right' } }))).toEqual({ a: 'right' });
    expect(annotationsOf(bytes({ process: { args: ['"annotations":{"a":"wrong"}', '{"annotations":{"a":"wrong"}}'] }, annotations: { a: 'right' } }))).toEqual({ a: 'right' });
    expect(annotationsOf(bytes({ process: { args: ['{"annotations":{"a":"wrong"}}'] } }))).toEqual({});
    expect(annotationsOf(bytes('{"x\\"annotations":{"a":"wrong"}}'))).toEqual({});
  });

  it('are unknown until they are whole, at every length', () => {
    const text = fixture('containerd-app.json');
    const whole = annotationsOf(bytes(text));
    const end = text.indexOf('}', text.indexOf('"annotations"')) + 1;
    for (let length = 0; length < text.length; length++) expect(annotationsOf(bytes(text.slice(0, length)))).toEqual(length < end ? null : whole);
  });

  it.each([['null', {}], ['[]', {}], ['{}', {}], ['{"annotations":null}', {}], ['{"annotations":[]}', {}], ['{"annotations":{"a":1,"b":{},"c":"d"}}', { c: 'd' }], ['', null], ['{', null], ['\0', null]])('of %j are %j', (json, annotations) => {
    expect(annotationsOf(bytes(json))).toEqual(annotations);
  });

  it('set no prototype', () => {
    const annotations = annotationsOf(bytes('{"annotations":{"__proto__":"x","a":"b"}}'));
    expect([Object.getPrototypeOf(annotations), Object.keys(annotations ?? {})]).toEqual([Object.prototype, ['__proto__', 'a']]);
  });
});

describe('other documents', () => {
  it('runc: labels of its state', () => {
    expect(stateAnnotationsOf(bytes({ config: { labels: ['bundle=/run/x', 'a=b=c', '=x', 'none', 7, 'e='] } }))).toEqual({ bundle: '/run/x', a: 'b=c', e: '' });
    expect(stateAnnotationsOf(bytes({ config: { labels: {} } }))).toEqual({});
    expect(stateAnnotationsOf(bytes('{"config":{"labels":["a=b"'))).toBeNull();
  });

  it('Docker: name, image and labels', () => {
    expect(dockerConfigOf(bytes({ Name: '/web', Config: { Image: 'nginx', Labels: { a: 'b', c: 1 } } }))).toEqual({ name: 'web', image: 'nginx', labels: { a: 'b' } });
    expect(dockerConfigOf(bytes({ Name: 1, Config: [] }))).toEqual({ name: null, image: null, labels: {} });
    expect(dockerConfigOf(bytes('{"Name"'))).toBeNull();
  });

  it('Docker: where its files are, by the mounts of this container alone', () => {
    const mounts = (...sources: readonly unknown[]): Buffer => bytes({ mounts: sources.map((source) => ({ source })) });
    expect(dockerDirectoryOf(mounts(1, '/x', `/data/containers/${cid(2)}/hosts`, `/data/containers/${cid(1)}/hostname`), cid(1))).toBe('/data/containers');
    expect(dockerDirectoryOf(mounts(`/data/containers/${cid(2)}/hosts`, `/data/containers/${cid(1)}/other`, `data/containers/${cid(1)}/hosts`), cid(1))).toBeNull();
    expect(dockerDirectoryOf(bytes('{"mounts":[null,1]}'), cid(1))).toBeNull();
    expect(dockerDirectoryOf(bytes('{'), cid(1))).toBeNull();
  });

  it('podman: names in its storage', () => {
    const stored = storedContainersOf(bytes(fixture('podman-containers.json')));
    expect([...stored?.values() ?? []]).toEqual([{ name: 'web_x', image: null }, { name: 'web_y', image: null }, { name: 'inpod', image: null }]);
    expect(storedContainersOf(bytes([null, {}, { id: 'a', names: [] }, { id: 'b', names: [''] }, { id: 'c', names: ['x'], metadata: '{' }]))).toEqual(new Map([['c', { name: 'x', image: null }]]));
    expect(storedContainersOf(bytes('[{'))).toBeNull();
  });

  it('labels inside an annotation', () => {
    expect(stringsIn('{"a":"b","c":1}')).toEqual({ a: 'b' });
    for (const text of [undefined, '', 'null', '[]', '{', '1']) expect(stringsIn(text)).toBeNull();
  });

  it('never throw, whatever the bytes', () => {
    fc.assert(fc.property(fc.oneof(fc.uint8Array(), fc.json().map((text) => Buffer.from(text))), (some) => {
      const json = Buffer.from(some);
      for (const read of [annotationsOf, stateAnnotationsOf, dockerConfigOf, storedContainersOf, (one: Buffer) => dockerDirectoryOf(one, cid(1))]) expect(() => read(json)).not.toThrow();
    }));
  });
});
