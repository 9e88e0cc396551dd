/** Ends whatever a test's container runtime left: its processes and its pods', their cgroups, its directory. */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pidsBelow, removeCgroup } from './cgroups.ts';
import { notedCgroups, type Place } from './place.ts';

const DEADLINE_MS = 10_000;

/** Processes in the runtime's mount namespace: containerd, its shims, runc. They alone have the place's `run` at /run. */
export function insiders(place: Place): number[] {
  const mark = `/${basename(place.directory)}/host/run /run `;
  const own = readlinkSync('/proc/self/ns/mnt');
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/mnt`) !== own && readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(mark);
    } catch {
      return false; // ended meanwhile
    }
  }).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Safe to call at any time, and again. The mounts go with the last process of their namespace. @throws Error when something survives */
export async function cleanUp(place: Place): Promise<void> {
  const pods = notedCgroups(place);
  const processes = (): number[] => [...insiders(place), ...pods.flatMap(pidsBelow)];
  const deadline = performance.now() + DEADLINE_MS;
  // Again until none is left: one that was about to fork may have done so.
  for (let victims = processes(); victims.length > 0; victims = processes()) {
    victims.forEach(kill);
    if (performance.now() > deadline) throw new Error(`processes of ${place.directory} survive SIGKILL: ${victims.join(', ')}`);
    await sleep(5);
  }
  for (const path of pods) await removeCgroup(path);
  if (existsSync(place.directory)) rmSync(place.directory, { recursive: true, maxRetries: 5 });
}
