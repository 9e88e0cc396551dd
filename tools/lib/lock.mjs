/** One set-up at a time per checkout, held by the kernel: it cannot go stale when somebody is killed. */
import { spawn } from 'node:child_process';
import { say } from './say.mjs';

/**
 * Take an exclusive flock(2) on `file`, waiting for another holder. The lock lives in a child (util-linux
 * flock) that ends when our end of its stdin closes, whichever way we die.
 * @returns {Promise<() => void>} the release function
 */
export function lock(file) {
  return new Promise((resolve, reject) => {
    const holder = spawn('flock', ['-x', file, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const notice = setTimeout(() => say('another set-up is running here, waiting for it'), 500);
    let held = false;
    holder.on('error', (error) => {
      clearTimeout(notice);
      reject(new Error(`cannot run flock (package util-linux): ${error.message}`));
    });
    holder.on('exit', (code) => {
      clearTimeout(notice);
      if (!held) reject(new Error(`flock ${file} ended with code ${code}`));
    });
    holder.stdout.once('data', () => {
      held = true;
      clearTimeout(notice);
      // The holder must not keep us alive once the work is done.
      holder.unref();
      holder.stdout.destroy();
      resolve(() => holder.stdin.destroy());
    });
  });
}
