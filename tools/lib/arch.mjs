/** What differs between the machines that kbtop runs on, as far as building is concerned. By Node's name of the architecture. */
export const ARCHES = {
  x64: { machine: 'x86_64', triplet: 'x86_64-linux-gnu', elf: 62, oci: 'amd64' },
  arm64: { machine: 'aarch64', triplet: 'aarch64-linux-gnu', elf: 183, oci: 'arm64' },
};
