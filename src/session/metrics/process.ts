/** What this process costs, under the names that all Prometheus clients use. */
import { readdirSync } from 'node:fs';

/** Families without suffixes, and their help. */
export const PROCESS_METRICS = {
  cpuSeconds: { name: 'process_cpu_seconds', help: 'CPU time of kbtop, user and system; the capture is in it, its BPF programs are not' },
  residentBytes: { name: 'process_resident_memory_bytes', help: 'Resident memory of kbtop' },
  startSeconds: { name: 'process_start_time_seconds', help: 'Start of kbtop, Unix time' },
  openFds: { name: 'process_open_fds', help: 'Open file descriptors of kbtop' },
} as const;

export type ProcessUse = { readonly [Name in keyof typeof PROCESS_METRICS]: number | null };

const START_SECONDS = Math.round(Date.now() - process.uptime() * 1000) / 1000;

function openFds(): number | null {
  try {
    // One of them is that of the directory.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}

export function processUse(): ProcessUse {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss(), startSeconds: START_SECONDS, openFds: openFds() };
}
