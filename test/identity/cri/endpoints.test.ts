import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { findEndpoints } from '../../../src/identity/cri/endpoints.ts';
import { temporaryDirectory } from './support.ts';

/** A host's root with these files. */
function host(files: Readonly<Record<string, string>> = {}): string {
  const root = temporaryDirectory();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const find = (hostRoot: string, runtimeEndpoint: string | null = null, env: NodeJS.ProcessEnv = {}) => findEndpoints({ hostRoot, runtimeEndpoint }, env);

const KNOWN = ['/run/containerd/containerd.sock', '/run/crio/crio.sock', '/run/cri-dockerd.sock', '/run/k3s/containerd/containerd.sock', '/run/k0s/containerd.sock', '/var/snap/microk8s/common/run/containerd.sock'];

describe('without a word from the user', () => {
  it('looks in the known places, under the host\'s root', () => {
    const root = host();
    expect(find(root)).toEqual({ paths: KNOWN.map((path) => join(root, path)), given: null, refused: null });
  });

  it.each([
    ['/var/lib/kubelet/config.yaml', 'kind: KubeletConfiguration\ncontainerRuntimeEndpoint: unix:///run/my.sock # ours\nimageServiceEndpoint: ""\n'],
    ['/var/lib/kubelet/config.yaml', 'containerRuntimeEndpoint: "unix:///run/my.sock"\n'],
    ['/var/lib/kubelet/config.yaml', '{\n  "kind": "KubeletConfiguration",\n  "containerRuntimeEndpoint": "unix:///run/my.sock",\n  "x": 1\n}'],
    ['/var/lib/kubelet/kubeadm-flags.env', 'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/my.sock --pod-infra-container-image=pause:3.9"\n'],
    ['/etc/crictl.yaml', 'image-endpoint: unix:///run/images.sock\nruntime-endpoint: \'unix:///run/my.sock\'\ntimeout: 2\n'],
    ['/etc/crictl.yaml', 'runtime-endpoint: /run/my.sock\n'],
  ])('first takes what %s says: %j', (path, text) => {
    const root = host({ [path]: text });
    expect(find(root).paths).toEqual([join(root, '/run/my.sock'), ...KNOWN.map((known) => join(root, known))]);
  });

  it('kubelet\'s comes before crictl\'s, and each once', () => {
    const root = host({ '/var/lib/kubelet/config.yaml': 'containerRuntimeEndpoint: unix:///run/crio/crio.sock', '/etc/crictl.yaml': 'runtime-endpoint: unix:///run/containerd/containerd.sock' });
    expect(find(root).paths.slice(0, 3)).toEqual(['/run/crio/crio.sock', '/run/containerd/containerd.sock', '/run/cri-dockerd.sock'].map((path) => join(root, path)));
  });

  it.each([
    '', 'containerRuntimeEndpoint:\n', 'containerRuntimeEndpoint: ""\n', 'containerRuntimeEndpoint: tcp://127.0.0.1:1\n', 'containerRuntimeEndpoint: npipe:////./pipe/x\n',
    '# containerRuntimeEndpoint: unix:///run/my.sock\n', 'x: containerRuntimeEndpoint\n', '\0\xff', 'containerRuntimeEndpoint: unix:\n',
  ])('passes over a configuration that names no socket: %j', (text) => {
    const root = host({ '/var/lib/kubelet/config.yaml': text });
    expect(find(root).paths).toEqual(KNOWN.map((path) => join(root, path)));
  });

  it('does not wait for a configuration that is a pipe, nor read one that is huge', () => {
    const root = host({ '/etc/crictl.yaml': `runtime-endpoint: unix:///run/my.sock\n${'#'.repeat(2 << 20)}` });
    mkdirSync(join(root, 'var/lib/kubelet'), { recursive: true });
    execFileSync('mkfifo', [join(root, 'var/lib/kubelet/config.yaml')]);
    expect(find(root).paths).toEqual(KNOWN.map((path) => join(root, path)));
  });

  it('follows links as on the host: /var/run is not the pod\'s own', () => {
    const root = host({ '/var/lib/kubelet/config.yaml': 'containerRuntimeEndpoint: unix:///var/run/my.sock' });
    symlinkSync('/run', join(root, 'var/run'));
    expect(find(root).paths[0]).toBe(join(root, 'run/my.sock'));
  });
});

describe('what the user names', () => {
  it.each(['/run/my.sock', 'run/my.sock', 'unix:///run/my.sock', 'unix:/run/my.sock', 'UNIX:///run/my.sock', ' /run/my.sock '])('%j is a path on the host', (endpoint) => {
    const root = host({ '/run/my.sock': '' });
    expect(find(root, endpoint)).toEqual({ paths: [join(root, 'run/my.sock')], given: '--runtime-endpoint', refused: null });
    expect(find(root, null, { CONTAINER_RUNTIME_ENDPOINT: endpoint })).toEqual({ paths: [join(root, 'run/my.sock')], given: 'CONTAINER_RUNTIME_ENDPOINT', refused: null });
  });

  it('is taken as it stands where the host has no such path', () => {
    const [root, other] = [host(), host({ '/my.sock': '' })];
    expect(find(root, join(other, 'my.sock')).paths).toEqual([join(other, 'my.sock')]);
    expect(find(root, `unix://${join(other, 'my.sock')}`).paths).toEqual([join(other, 'my.sock')]);
    expect(find(root, relative('.', join(other, 'my.sock'))).paths).toEqual([resolve(other, 'my.sock')]);
  });

  it('as a URL is where kbtop runs, when both are there', () => {
    const other = host({ '/my.sock': '' });
    const root = host({ [join(other, 'my.sock')]: '' });
    expect(find(root, `unix://${join(other, 'my.sock')}`).paths).toEqual([join(other, 'my.sock')]);
    expect(find(root, join(other, 'my.sock')).paths).toEqual([join(root, other, 'my.sock')]);
  });

  it('by flag goes before the variable, and either before everything else', () => {
    const root = host({ '/etc/crictl.yaml': 'runtime-endpoint: unix:///run/crictl.sock' });
    expect(find(root, '/flag.sock', { CONTAINER_RUNTIME_ENDPOINT: '/variable.sock' }).paths).toEqual(['/flag.sock']);
    expect(find(root, null, { CONTAINER_RUNTIME_ENDPOINT: '' }).paths[0]).toBe(join(root, 'run/crictl.sock'));
  });

  it.each(['tcp://127.0.0.1:1234', 'http://x/', 'npipe:////./pipe/containerd', 'dns:x', 'unix:', 'unix://', ''])('%j is refused', (endpoint) => {
    expect(find('/', endpoint)).toEqual({ paths: [], given: '--runtime-endpoint', refused: `--runtime-endpoint is ${endpoint || 'empty'}, which is not a unix socket` });
  });
});
