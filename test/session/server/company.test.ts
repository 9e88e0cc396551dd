/** Who looks together: driving, following and sharing over a real socket. */
import { describe, expect, it } from 'vitest';
import { MAX_VIEW_BYTES } from '../../../src/session/protocol/limits.ts';
import { until } from '../../workloads/cgroup.ts';
import { TestSession } from '../fixture.ts';

describe('company', () => {
  it('tells who is there, by the user that the kernel tells and the terminal that they tell', async () => {
    await using session = await TestSession.open();
    const [first, second] = [await session.attach('pts/1'), await session.attach()];
    await until('both', () => first.company.viewers.length === 2);
    expect(first.company.viewers.map(({ id, name, uid, drives, follows }) => [id, name, uid, drives, follows])).toEqual([[1, 'uid 0 (pts/1)', 0, false, false], [2, 'uid 0 (pid 1)', 0, false, false]]);
    expect([first.company.self, second.company.self]).toEqual([1, 2]);
    await second.close();
    await until('one', () => first.company.viewers.length === 1);
  });

  it('follows the one who took the wheel last', async () => {
    await using session = await TestSession.open();
    const [one, two, three] = [await session.attach(), await session.attach(), await session.attach()];
    const all = [one, two, three];
    const drivers = (): (number | undefined)[] => all.map(({ company }) => company.viewers.find(({ drives }) => drives)?.id);
    one.company.drive(true);
    one.company.share({ pane: 'opens' });
    three.company.follow(true);
    await until('the view', () => all.every(({ company }) => company.view?.['pane'] === 'opens' && company.viewers[2]?.follows === true));
    expect(drivers()).toEqual([1, 1, 1]);
    // Ignored, here and there.
    two.company.share({ pane: 'tcp' });
    two.company.drive(true);
    await until('another driver', () => drivers().every((id) => id === 2));
    await until('no view', () => all.every(({ company }) => company.view === null));
    one.company.share({ pane: 'syscalls' });
    two.company.share({ pane: 'runqueue' });
    await until('the view', () => all.every(({ company }) => company.view?.['pane'] === 'runqueue'));
    await two.close();
    await until('nobody', () => one.company.viewers.length === 2 && one.company.view === null);
    expect(one.company.viewers.some(({ drives }) => drives)).toBe(false);
  });

  it('shares bundled, the latest always', async () => {
    await using session = await TestSession.open();
    const [driver, other] = [await session.attach(), await session.attach()];
    driver.company.drive(true);
    await until('the driver', () => other.company.viewers.some(({ drives }) => drives));
    let told = 0;
    other.company.subscribe((change) => { told += change === 'view' ? 1 : 0; });
    for (let i = 1; i <= 500; i++) driver.company.share({ i });
    await until('the latest', () => other.company.view?.['i'] === 500);
    expect(told).toBeLessThanOrEqual(5);
  });

  it('does not send on what is too large', async () => {
    await using session = await TestSession.open();
    const [driver, other] = [await session.attach(), await session.attach()];
    driver.company.drive(true);
    driver.company.share({ text: 'x'.repeat(MAX_VIEW_BYTES) });
    await until('the driver', () => other.company.viewers.some(({ drives }) => drives));
    driver.company.drive(false);
    await until('no driver', () => other.company.viewers.every(({ drives }) => !drives));
    expect(other.company.view).toBe(null);
    expect(driver.trouble).toBe(null);
  });
});
