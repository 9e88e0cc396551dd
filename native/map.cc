#include "map.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "error.h"

namespace kbtop {

namespace {

/** Bound of a batch's values: large maps of many CPUs must not need their whole size twice. */
constexpr size_t kBatchBytes = 2 << 20;
constexpr size_t kFirstRows = 64;
constexpr int kEnotsupp = 524;

bool is_per_cpu(uint32_t type) {
  return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
         type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

bool is_table(uint32_t type) {
  return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_PERCPU_HASH ||
         type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
         type == BPF_MAP_TYPE_LPM_TRIE;
}

uint64_t word_at(const uint8_t* value) {
  uint64_t word;
  memcpy(&word, value, sizeof(word));
  return word;
}

uint32_t kernel_id(int fd) {
  bpf_map_info info = {};
  uint32_t size = sizeof(info);
  return bpf_obj_get_info_by_fd(fd, &info, &size) == 0 ? info.id : 0;
}

}  // namespace

Map::Map(const bpf_map* map)
    : name(bpf_map__name(map)),
      type(bpf_map__type(map)),
      key_size(bpf_map__key_size(map)),
      value_size(bpf_map__value_size(map)),
      max_entries(bpf_map__max_entries(map)),
      id(kernel_id(bpf_map__fd(map))),
      fd_(bpf_map__fd(map)) {
  if (!is_per_cpu(type)) return;
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) throw errno_failure(cpus, "cannot count the possible CPUs");
  cpus_ = static_cast<size_t>(cpus);
  cpu_stride_ = (value_size + 7u) & ~size_t{7};
}

std::shared_ptr<const Descriptor> Map::duplicate() const {
  auto copy = std::make_shared<const Descriptor>(fcntl(fd_, F_DUPFD_CLOEXEC, 0));
  if (copy->fd < 0) throw errno_failure(errno, "cannot share map " + name);
  return copy;
}

void Map::require_readable() const {
  if (!is_table(type)) {
    throw argument_failure("map " + name + " is of type " + std::to_string(type) + ", which has no entries to list");
  }
  if (value_size == 0 || value_size % sizeof(uint64_t) != 0) {
    throw argument_failure("map " + name + " has values of " + std::to_string(value_size) +
                           " bytes: read() needs a multiple of 8, use lookup()");
  }
}

size_t Map::read(const std::vector<Fold>& folds, const Columns& columns, const Grow& grow) {
  if (batches_work_) {
    try {
      return read_batches(folds, columns, grow);
    } catch (const Failure& failure) {
      // Kernels before 5.6 (hash) and 5.13 (per-CPU array) have no batches.
      if (failure.number != EINVAL && failure.number != kEnotsupp && failure.number != EOPNOTSUPP) throw;
      batches_work_ = false;
    }
  }
  return read_singly(folds, columns, grow);
}

size_t Map::read_batches(const std::vector<Fold>& folds, Columns columns, const Grow& grow) {
  const size_t stride = full_value_size();
  if (batch_rows_ == 0) {
    batch_rows_ = std::clamp(kBatchBytes / stride, kFirstRows, size_t{16384});
    batch_rows_ = std::min<size_t>(batch_rows_, std::max(max_entries, 1u));
  }
  // Where a batch ends is the kernel's own: a bucket number for hashes, a key for the rest.
  std::vector<uint8_t> from(std::max<size_t>(key_size, sizeof(uint32_t))), next(from.size());
  bool first = true;
  size_t rows = 0;
  for (;;) {
    batch_keys_.resize(batch_rows_ * key_size);
    batch_values_.resize(batch_rows_ * stride);
    uint32_t count = static_cast<uint32_t>(batch_rows_);
    const int error = bpf_map_lookup_batch(fd_, first ? nullptr : from.data(), next.data(), batch_keys_.data(),
                                           batch_values_.data(), &count, nullptr);
    if (error == -ENOSPC) {
      // One hash bucket holds more than a whole batch.
      if (batch_rows_ > max_entries) throw errno_failure(error, "cannot read map " + name);
      batch_rows_ *= 2;
      continue;
    }
    if (error == -EINTR || error == -EAGAIN) continue;
    if (error != 0 && error != -ENOENT) throw errno_failure(error, "cannot read map " + name);
    if (rows + count > columns.capacity) columns = grow(rows + count, rows);
    memcpy(columns.keys + rows * key_size, batch_keys_.data(), size_t{count} * key_size);
    for (uint32_t i = 0; i < count; i++) fold(folds, columns, rows + i, batch_values_.data() + i * stride);
    rows += count;
    if (error == -ENOENT) return rows;
    from.swap(next);
    first = false;
  }
}

size_t Map::read_singly(const std::vector<Fold>& folds, Columns columns, const Grow& grow) {
  // Deleting the key we stand on restarts the walk at its beginning, so a key may come twice.
  std::unordered_set<std::string> seen;
  std::vector<uint8_t> key(key_size), next(key_size);
  batch_values_.resize(std::max(batch_values_.size(), full_value_size()));
  size_t rows = 0;
  for (bool first = true; bpf_map_get_next_key(fd_, first ? nullptr : key.data(), next.data()) == 0; first = false) {
    key.swap(next);
    if (!seen.emplace(reinterpret_cast<const char*>(key.data()), key.size()).second) continue;
    const int error = bpf_map_lookup_elem(fd_, key.data(), batch_values_.data());
    if (error == -ENOENT) continue;
    if (error != 0) throw errno_failure(error, "cannot read map " + name);
    if (rows + 1 > columns.capacity) columns = grow(rows + 1, rows);
    memcpy(columns.keys + rows * key_size, key.data(), key_size);
    fold(folds, columns, rows, batch_values_.data());
    rows++;
  }
  return rows;
}

void Map::fold(const std::vector<Fold>& folds, const Columns& columns, size_t row, const uint8_t* value) const {
  const size_t words = word_count();
  double* out = columns.words + row;
  for (size_t w = 0; w < words; w++, out += columns.capacity) {
    const uint8_t* at = value + w * sizeof(uint64_t);
    uint64_t folded = word_at(at);
    if (folds[w] == Fold::kSum) {
      for (size_t cpu = 1; cpu < cpus_; cpu++) folded += word_at(at + cpu * cpu_stride_);
    } else {
      for (size_t cpu = 1; cpu < cpus_; cpu++) folded = std::max(folded, word_at(at + cpu * cpu_stride_));
    }
    *out = static_cast<double>(folded);
  }
}

std::optional<std::vector<uint8_t>> Map::lookup(const uint8_t* key) const {
  std::vector<uint8_t> value(full_value_size());
  const int error = bpf_map_lookup_elem(fd_, key, value.data());
  if (error == -ENOENT) return std::nullopt;
  if (error != 0) throw errno_failure(error, "cannot look up a key in map " + name);
  return value;
}

void Map::update(const uint8_t* key, const uint8_t* value, size_t size, uint64_t flags) const {
  std::vector<uint8_t> spread;
  if (cpus_ && size != full_value_size()) {
    spread.resize(full_value_size());
    for (size_t cpu = 0; cpu < cpus_; cpu++) memcpy(spread.data() + cpu * cpu_stride_, value, size);
    value = spread.data();
  }
  const int error = bpf_map_update_elem(fd_, key, value, flags);
  if (error != 0) throw errno_failure(error, "cannot update a key in map " + name);
}

bool Map::remove(const uint8_t* key) const {
  const int error = bpf_map_delete_elem(fd_, key);
  if (error == -ENOENT) return false;
  if (error != 0) throw errno_failure(error, "cannot delete a key in map " + name);
  return true;
}

}  // namespace kbtop
