/** Questions to the kernel that belong to no object. */
#pragma once

#include <cstdint>
#include <vector>

namespace kbtop {

struct KernelIds {
  std::vector<uint32_t> links, programs, maps;
};

/** Ids of everything BPF that exists now. Throws Failure (EPERM without CAP_SYS_ADMIN). */
KernelIds kernel_ids();

/** Number of possible CPUs. Throws Failure. */
int possible_cpus();

/** CLOCK_MONOTONIC, nanoseconds. */
uint64_t monotonic_ns();

/** The kernel times BPF programs while such an object lives. */
class RunStats {
 public:
  /** Throws Failure. */
  RunStats();
  ~RunStats();
  RunStats(const RunStats&) = delete;
  RunStats& operator=(const RunStats&) = delete;

 private:
  int fd_;
};

}  // namespace kbtop
