/** How an error leaves the program. */
import { reportOf } from './errors.ts';
import { printDetail, printError } from './output.ts';

/** Say what went wrong, once, and how to exit. */
export async function failed(error: unknown, debug: boolean): Promise<number> {
  const { code, line, detail } = reportOf(error);
  if (line !== null) await printError(line);
  if (debug && detail !== '') await printDetail(detail);
  return code;
}
