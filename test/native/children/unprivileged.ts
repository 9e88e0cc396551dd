/** What a user without privileges is told. Privileges are dropped here, since the checkout may be root's alone. */
import { addon, failure, open } from '../support.ts';

const counter = open('counter');
const mixed = open('mixed');
process.setgroups?.([]);
process.setgid?.(65534);
process.setuid?.(65534);

const plain = async (call: () => unknown): Promise<{ code: string; errno: number; message: string }> => {
  const { code, errno, message } = await failure(call);
  return { code, errno, message };
};
const told = {
  load: await plain(() => counter.load()),
  loadMixed: await plain(() => mixed.load()),
  ids: await plain(() => addon().kernelIds()),
  stats: await plain(() => addon().enableStats()),
  unreadable: await plain(() => addon().open(process.argv[2] ?? '')),
};
counter.close();
process.stdout.write(`${JSON.stringify(told)}\n`);
