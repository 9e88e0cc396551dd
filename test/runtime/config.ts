/** What a test's containerd and its pods' network are configured with. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAUSE_IMAGE } from './image.ts';
import type { Place } from './place.ts';

/**
 * Paths are those inside the mount namespace. Root without CAP_SYS_RESOURCE may not lower oom_score_adj, and a kernel
 * without AppArmor has no profile to load.
 */
const containerd = (place: Place, snapshotter: string): string => `
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshotter}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${place.hostRoot}/opt/cni/bin"
    conf_dir = "${place.hostRoot}/etc/cni/net.d"
`;

/** A network plugin: a pod gets a loopback device, and an address in name only. */
const NETWORK_PLUGIN = `#!/bin/sh
case $CNI_COMMAND in
VERSION) echo '{"cniVersion":"0.4.0","supportedVersions":["0.3.1","0.4.0"]}' ;;
ADD)
  nsenter --net="$CNI_NETNS" ip link set lo up || exit 1
  echo '{"cniVersion":"0.4.0","interfaces":[{"name":"'"$CNI_IFNAME"'","sandbox":"'"$CNI_NETNS"'"}],"ips":[{"version":"4","interface":0,"address":"10.255.255.2/24"}]}' ;;
esac
`;

/** Write it all. Returns the path of containerd's configuration. */
export function configure(place: Place, snapshotter: string): string {
  for (const name of ['loopback', 'nothing']) {
    const plugin = join(place.hostRoot, 'opt/cni/bin', name);
    writeFileSync(plugin, NETWORK_PLUGIN);
    chmodSync(plugin, 0o755);
  }
  writeFileSync(join(place.hostRoot, 'etc/cni/net.d/10-nothing.conflist'), JSON.stringify({ cniVersion: '0.4.0', name: 'nothing', plugins: [{ type: 'nothing' }] }));
  const file = join(place.directory, 'containerd.toml');
  writeFileSync(file, containerd(place, snapshotter));
  return file;
}
