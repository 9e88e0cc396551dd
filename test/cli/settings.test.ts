import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/errors.ts';
import { type GlobalFlags, settle, wantsColor } from '../../src/cli/settings.ts';

describe('wantsColor', () => {
  it.each([
    [true, false, { NO_COLOR: '1' }, true],
    [false, true, {}, false],
    [null, true, {}, true],
    [null, true, { NO_COLOR: '' }, true],
    [null, true, { NO_COLOR: '1' }, false],
    [null, true, { TERM: 'dumb' }, false],
    [null, false, {}, false],
  ])('asked %s, terminal %s, environment %j: %s', (asked, terminal, environment, wanted) => {
    expect(wantsColor(asked, terminal, environment)).toBe(wanted);
  });
});

describe('settle', () => {
  const bare = { config: '/dev/null' };

  it('has defaults for everything', async () => {
    expect(await settle(bare, {})).toEqual({
      config: { sort: {} }, intervalMs: 1000, color: null, ascii: false, target: null, readOnly: false, debug: false,
      sources: { hostRoot: null, runtimeEndpoint: null, kubeconfig: null, context: null, nodeName: hostname().toLowerCase() },
    });
  });

  it('lets flags win over the configuration', async () => {
    const settings = await settle({ ...bare, interval: 250, color: false, ascii: true, container: ['a'] });
    expect(settings).toMatchObject({ intervalMs: 250, color: false, ascii: true, target: { containers: ['a'] } });
  });

  it('makes one target of all that is asked for', async () => {
    const { target } = await settle({ ...bare, namespace: ['shop'], selector: ['app=web'], container: ['app'], pod: ['deploy/web'] });
    expect(target?.label).toBe('-n shop -l app=web --pod deploy/web -c app');
    expect((await settle({ ...bare, namespace: ['shop'], allNamespaces: true })).target).toBeNull();
  });

  it.each([
    [{ namespace: ['Shop'] }, '-n "Shop" cannot be a namespace'],
    [{ selector: ['app in web'] }, '-l "app in web" at character 8: "(" is expected, not "web"'],
    [{ pod: ['a/b/c'] }, '--pod "a/b/c": "b" is no kind of pod owner'],
  ])('refuses %j as bad usage', async (flags, message) => {
    const error: unknown = await settle({ ...bare, ...flags }).then(() => null, (thrown: unknown) => thrown);
    expect(error).toMatchObject({ exitCode: EXIT.usage, message: expect.stringContaining(message) as string });
  });

  it('takes the node\'s name from the flag, the environment, the configuration, the host, in this order', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kbtop-settings-'));
    try {
      const config = join(dir, 'config.yaml');
      writeFileSync(config, 'node: configured\ncontext: prod\nruntimeEndpoint: /run/x.sock\n');
      const name = async (flags: GlobalFlags, environment: NodeJS.ProcessEnv): Promise<string> => (await settle(flags, environment)).sources.nodeName;
      expect(await name({ config, node: 'flag' }, { NODE_NAME: 'env' })).toBe('flag');
      expect(await name({ config }, { NODE_NAME: 'env' })).toBe('env');
      expect(await name({ config }, { NODE_NAME: '' })).toBe('configured');
      expect(await name(bare, {})).toBe(hostname().toLowerCase());
      expect((await settle({ config, context: 'test' }, {})).sources).toMatchObject({ context: 'test', runtimeEndpoint: '/run/x.sock' });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
