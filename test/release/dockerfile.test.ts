/** The Dockerfile, built from the tarball by buildah, which needs no daemon. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCommand } from '../../tools/lib/needs.mjs';
import { versionOf } from '../../tools/lib/release/tree.mjs';
import { OUT, ROOT, canMount, makeRelease, unavailable } from './release.ts';

const VERSION = versionOf(ROOT) as string;
const why = unavailable() ?? (canMount ? findCommand('buildah') === null ? 'buildah is not installed' : null : 'needs root');

describe.skipIf(why !== null)(`the Dockerfile${why === null ? '' : ` (${why})`}`, () => {
  let directory: string;
  const buildah = (command: string, ...args: readonly string[]): string =>
    execFileSync('buildah', ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs', command, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], cwd: directory });

  beforeAll(() => {
    makeRelease();
    directory = mkdtempSync(join(tmpdir(), 'kbtop-buildah-'));
    buildah('bud', '--isolation', 'chroot', '--build-arg', `VERSION=${VERSION}`, '--build-arg', `ARCH=${process.arch}`, '--tag', 'kbtop:test', '--file', join(ROOT, 'Dockerfile'), OUT);
  });
  afterAll(() => {
    buildah('rmi', '--all', '--force');
    rmSync(directory, { recursive: true });
  });

  it('makes an image that is kbtop', () => {
    const { OCIv1 } = JSON.parse(buildah('inspect', '--type', 'image', 'kbtop:test')) as { OCIv1: { config: { Entrypoint: string[]; Labels: Record<string, string> } } };
    expect(OCIv1.config).toMatchObject({ Entrypoint: ['kbtop'], Labels: { 'org.opencontainers.image.version': VERSION } });
    const container = buildah('from', '--pull-never', 'kbtop:test').trim();
    try {
      expect(buildah('run', '--isolation', 'chroot', container, '--', 'kbtop', '--version')).toBe(`${VERSION}\n`);
    } finally {
      buildah('rm', container);
    }
  });
});
