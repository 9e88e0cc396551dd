#include "ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "error.h"

namespace kbtop {

namespace {

/** Room is handed back in steps of this size, so that a producer on a full ring need not wait for a whole drain. */
constexpr uint64_t kStep = 256 * 1024;

constexpr uint64_t round_up_8(uint64_t n) { return (n + 7) & ~uint64_t{7}; }

}  // namespace

Ring::Ring(int fd, size_t size) : size_(size), page_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
  void* consumer = mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (consumer == MAP_FAILED) throw errno_failure(errno, "cannot map the ring buffer's consumer page");
  // The kernel would give the data area twice, to make records that wrap around contiguous; but mapped pages count in
  // the process's resident size, and a copy can be made in two parts.
  void* producer = mmap(nullptr, page_ + size_, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(page_));
  if (producer == MAP_FAILED) {
    const int error = errno;
    munmap(consumer, page_);
    throw errno_failure(error, "cannot map the ring buffer's data");
  }
  consumer_ = static_cast<uint8_t*>(consumer);
  producer_ = static_cast<uint8_t*>(producer);
  data_ = producer_ + page_;
}

Ring::~Ring() {
  munmap(consumer_, page_);
  munmap(producer_, page_ + size_);
}

Ring::Batch Ring::drain(uint8_t* out, size_t out_size, uint32_t* offsets, uint32_t* lengths, size_t capacity) {
  auto* consumer_pos = reinterpret_cast<unsigned long*>(consumer_);
  const auto* producer_pos = reinterpret_cast<const unsigned long*>(producer_);
  Batch batch;
  uint64_t at = *consumer_pos;
  uint64_t handed_back = at;
  // Read once: what a fast producer adds meanwhile belongs to the next drain, so a drain always ends.
  const uint64_t end = __atomic_load_n(producer_pos, __ATOMIC_ACQUIRE);

  while (at < end) {
    const uint8_t* header = data_ + (at & (size_ - 1));
    const uint32_t word = __atomic_load_n(reinterpret_cast<const uint32_t*>(header), __ATOMIC_ACQUIRE);
    if (word & BPF_RINGBUF_BUSY_BIT) break;
    const uint32_t length = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
      const size_t room = round_up_8(length);
      if (batch.count == capacity || batch.used + room > out_size) {
        batch.more = true;
        if (batch.count == 0) batch.needed = room;
        break;
      }
      const size_t begin = (at + BPF_RINGBUF_HDR_SZ) & (size_ - 1);
      const size_t whole = std::min<size_t>(length, size_ - begin);
      memcpy(out + batch.used, data_ + begin, whole);
      memcpy(out + batch.used + whole, data_, length - whole);
      offsets[batch.count] = static_cast<uint32_t>(batch.used);
      lengths[batch.count] = length;
      batch.count++;
      batch.used += room;
    }
    at += round_up_8(uint64_t{length} + BPF_RINGBUF_HDR_SZ);
    if (at - handed_back >= kStep) {
      __atomic_store_n(consumer_pos, at, __ATOMIC_RELEASE);
      handed_back = at;
    }
  }
  if (at != handed_back) __atomic_store_n(consumer_pos, at, __ATOMIC_RELEASE);
  return batch;
}

uint64_t Ring::pending() const {
  const uint64_t consumed = *reinterpret_cast<const unsigned long*>(consumer_);
  return __atomic_load_n(reinterpret_cast<const unsigned long*>(producer_), __ATOMIC_ACQUIRE) - consumed;
}

}  // namespace kbtop
