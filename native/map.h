/** One BPF map: its facts, single entries, and all entries folded over CPUs into columns. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "descriptor.h"

struct bpf_map;

namespace kbtop {

enum class Fold { kSum, kMax };

/** Where `Map::read` writes: word w of row r goes to words[w * capacity + r]. */
struct Columns {
  uint8_t* keys = nullptr;
  double* words = nullptr;
  size_t capacity = 0;
};

class Map {
 public:
  /** @param map of a loaded object, which must outlive this one's calls */
  explicit Map(const bpf_map* map);

  const std::string name;
  const uint32_t type;
  const uint32_t key_size;
  const uint32_t value_size;
  const uint32_t max_entries;
  const uint32_t id;
  /** Bytes of a value as the system call gives it: of all CPUs for a per-CPU map. */
  size_t full_value_size() const { return cpus_ ? cpu_stride_ * cpus_ : value_size; }
  size_t word_count() const { return value_size / sizeof(uint64_t); }

  /** Gives room for at least `rows` rows, keeping the first `used`. */
  using Grow = std::function<Columns(size_t rows, size_t used)>;

  /** All entries. @param folds one per word @returns the number of rows */
  size_t read(const std::vector<Fold>& folds, const Columns& columns, const Grow& grow);

  /** Throws Failure when entries of this map cannot be read as columns of u64 words. */
  void require_readable() const;

  std::optional<std::vector<uint8_t>> lookup(const uint8_t* key) const;
  /** @param size value_size (for a per-CPU map written to every CPU) or full_value_size() */
  void update(const uint8_t* key, const uint8_t* value, size_t size, uint64_t flags) const;
  bool remove(const uint8_t* key) const;

  /** A descriptor of the caller's own, which keeps the kernel's map alive. Throws Failure. */
  std::shared_ptr<const Descriptor> duplicate() const;

 private:
  size_t read_batches(const std::vector<Fold>& folds, Columns columns, const Grow& grow);
  size_t read_singly(const std::vector<Fold>& folds, Columns columns, const Grow& grow);
  void fold(const std::vector<Fold>& folds, const Columns& columns, size_t row, const uint8_t* value) const;

  int fd_;
  /** Possible CPUs for a per-CPU map, 0 for any other. */
  size_t cpus_ = 0;
  size_t cpu_stride_ = 0;
  size_t batch_rows_ = 0;
  bool batches_work_ = true;
  std::vector<uint8_t> batch_keys_;
  std::vector<uint8_t> batch_values_;
};

}  // namespace kbtop
