/** Whether guests can be started here at all: asked before anything is downloaded or built for them. */
import { missing, vmNeeds } from '../../../tools/lib/needs.mjs';
import { NotToBeHad } from './debian.ts';

/** @throws NotToBeHad */
export function requireGuests(arch: string = process.arch): void {
  // The guest runs this machine's Node and addon.
  if (arch !== 'x64') throw new NotToBeHad(`guests are x86-64 machines, this one is ${arch}`);
  // Without virtiofsd there is 9p.
  const lacking = missing(vmNeeds()).filter((need) => need.what !== 'virtiofsd');
  if (lacking.length > 0) throw new NotToBeHad(`missing: ${lacking.map((need) => need.what).join(', ')} (${lacking.map((need) => need.apt).join(', ')}); install them, or run npm run test:vm as root`);
}
