/** Where a path of the host leads, read with bounded access. */
import type { HostPath } from '../host-path.ts';
import type { BoundedFiles } from './bounded-files.ts';

/** Null when its links go in circles. Never rejects. */
export function resolveHostPath(host: HostPath, files: BoundedFiles, path: string): Promise<string | null> {
  return host.resolve(path, async (link) => {
    const { value, code } = await files.readLink(link, { hostPath: path });
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : value;
  });
}
