/** Ages as kubectl writes them. */

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR, YEAR = 365 * DAY;

/** "3h", "3h5m": without a second part that is zero. */
const parts = (ms: number, unit: number, name: string, part: number, partName: string): string => {
  const rest = Math.floor((ms % unit) / part);
  return `${Math.floor(ms / unit)}${name}${rest === 0 ? '' : `${rest}${partName}`}`;
};

/** A duration in milliseconds as kubectl's AGE: two units while the second one matters. What lies a little in the future is "0s". */
export function humanDuration(ms: number): string {
  // Clocks of nodes differ by a second or two; further ahead something is wrong.
  if (!(ms >= -2 * SECOND)) return '<invalid>';
  if (ms < 0) return '0s';
  if (ms < 2 * MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < 10 * MINUTE) return parts(ms, MINUTE, 'm', SECOND, 's');
  if (ms < 3 * HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < 8 * HOUR) return parts(ms, HOUR, 'h', MINUTE, 'm');
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)}h`;
  if (ms < 8 * DAY) return parts(ms, DAY, 'd', HOUR, 'h');
  if (ms < 2 * YEAR) return `${Math.floor(ms / DAY)}d`;
  if (ms < 8 * YEAR) return parts(ms, YEAR, 'y', DAY, 'd');
  return `${Math.floor(ms / YEAR)}y`;
}
