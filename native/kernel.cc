#include "kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include <string>

#include "error.h"

namespace kbtop {

namespace {

std::vector<uint32_t> all_ids(int (*next_id)(uint32_t, uint32_t*), const char* what) {
  std::vector<uint32_t> ids;
  for (uint32_t id = 0;;) {
    const int error = next_id(id, &id);
    if (error == -ENOENT) return ids;
    if (error != 0) throw errno_failure(error, std::string("cannot list BPF ") + what);
    ids.push_back(id);
  }
}

}  // namespace

KernelIds kernel_ids() {
  return {all_ids(bpf_link_get_next_id, "links"), all_ids(bpf_prog_get_next_id, "programs"),
          all_ids(bpf_map_get_next_id, "maps")};
}

int possible_cpus() {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) throw errno_failure(cpus, "cannot read /sys/devices/system/cpu/possible");
  return cpus;
}

uint64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

RunStats::RunStats() : fd_(bpf_enable_stats(BPF_STATS_RUN_TIME)) {
  if (fd_ < 0) throw errno_failure(fd_, "cannot enable BPF run-time statistics");
}

RunStats::~RunStats() { close(fd_); }

}  // namespace kbtop
