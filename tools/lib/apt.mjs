/** Install what is missing with apt-get as root on Debian and Ubuntu; say the one command to run everywhere else. */
import { rmSync, writeFileSync } from 'node:fs';
import { aptPackages, distribution, findCommand, missing } from './needs.mjs';
import { SetupError, run, say, seconds } from './say.mjs';

const names = (list) => list.map((need) => need.what).join(', ');

/** The command for a person to copy. */
export function aptCommand(list) {
  return `apt-get update && apt-get install -y --no-install-recommends ${aptPackages(list).join(' ')}`;
}

/** Packages start and enable their services. What was missing until now serves nobody: a daemon must not stay behind. */
async function stopServices(installed) {
  const services = installed.flatMap((need) => need.service || []);
  const systemctl = findCommand('systemctl');
  if (services.length === 0 || systemctl === null) return;
  // Fails where systemd does not run; nothing was started there either.
  const { code } = await run(systemctl, ['disable', '--now', ...services]);
  if (code === 0) say(`stopped and disabled ${services.join(', ')}, which the package had started`);
}

/** Debian asks this before a package starts anything; 101 is no. */
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Run `install` while nothing that comes with a service may start it, unless whoever runs this machine has a policy.
 * @returns what `install` returns
 */
async function withoutStarting(lacking, install) {
  let ours = false;
  if (lacking.some((need) => need.service)) {
    try {
      writeFileSync(POLICY, '#!/bin/sh\n# Made by the setup of kbtop, which takes it away again.\nexit 101\n', { flag: 'wx', mode: 0o755 });
      ours = true;
    } catch (error) {
      // Elsewhere than on Debian nobody asks; what was started is stopped afterwards.
      if (error.code !== 'EEXIST') say(`cannot keep services from starting: ${error.message}`);
    }
  }
  try {
    return await install();
  } finally {
    if (ours) rmSync(POLICY, { force: true });
  }
}

/**
 * @param lacking what is missing now
 * @param wanted what must be there afterwards
 */
export async function aptInstall(lacking, wanted) {
  if (!distribution().aptBased || findCommand('apt-get') === null) {
    throw new SetupError(`missing: ${names(lacking)}. Install them with your package manager (on Debian: ${aptPackages(lacking).join(' ')}) and run this again`);
  }
  if (process.getuid() !== 0) {
    throw new SetupError(`missing: ${names(lacking)}. Run this, then try again:\n  sudo sh -c '${aptCommand(lacking)}'`);
  }
  const start = Date.now();
  const packages = aptPackages(lacking);
  const options = { show: true, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const apt = (...args) => run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0', '-qq', ...args], options);
  say(`missing: ${names(lacking)}`);
  say('apt-get update');
  const update = await apt('update');
  if (update.code !== 0) say(`apt-get update failed (code ${update.code}); trying with the package lists that are here`);
  say(`apt-get install ${packages.join(' ')}`);
  const { code } = await withoutStarting(lacking, () => apt('install', '-y', '--no-install-recommends', ...packages));
  if (code !== 0) throw new SetupError(`apt-get install failed (code ${code}), see above; mend it, or run: ${aptCommand(lacking)}`);
  const still = missing(wanted);
  if (still.length > 0) throw new SetupError(`still missing after apt-get install: ${names(still)}`);
  await stopServices(lacking);
  say(`system packages installed (${seconds(Date.now() - start)})`);
}
