/** Cgroup keys (bpf/cgroup.h): hierarchy id << 56 | kernfs id, as the decimal string that Frames carry. */

export type CgroupKey = string;

const ID_BITS = 56n;
const ID_MASK = (1n << ID_BITS) - 1n;

export function cgroupKey(hierarchy: number, id: number | bigint): CgroupKey {
  return hierarchy === 0 ? String(id) : ((BigInt(hierarchy) << ID_BITS) | BigInt(id)).toString();
}

export function hierarchyOf(key: CgroupKey): number {
  return Number(BigInt(key) >> ID_BITS);
}

/** Inode number of the cgroup's directory, decimal. */
export function cgroupIdOf(key: CgroupKey): string {
  return (BigInt(key) & ID_MASK).toString();
}
