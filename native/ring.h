/** Consumer of one BPF ring buffer: bounded, without waking, waiting or callbacks. */
#pragma once

#include <cstddef>
#include <cstdint>

namespace kbtop {

/**
 * libbpf 1.1's consumer has neither a bound nor a copy; ours maps the ring itself (Documentation/bpf/ringbuf.rst).
 * One Ring per buffer: two consumers of one buffer would both move its only consumer position.
 */
class Ring {
 public:
  /** @param fd of the map, @param size its data area in bytes. Throws Failure. */
  Ring(int fd, size_t size);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  struct Batch {
    uint32_t count = 0;
    /** Bytes of `out` used. */
    size_t used = 0;
    /** The bound was reached with records left. */
    bool more = false;
    /** Nothing was copied because the first record needs an `out` of this size; 0 otherwise. */
    size_t needed = 0;
  };

  /** Copy committed records to `out`, each 8-byte aligned, and free their room in the ring. */
  Batch drain(uint8_t* out, size_t out_size, uint32_t* offsets, uint32_t* lengths, size_t capacity);

  /** Bytes produced and not yet consumed, record headers included. */
  uint64_t pending() const;

  size_t size() const { return size_; }

 private:
  size_t size_;
  size_t page_;
  uint8_t* consumer_ = nullptr;
  uint8_t* producer_ = nullptr;
  const uint8_t* data_ = nullptr;
};

}  // namespace kbtop
