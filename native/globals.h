/** Variables of a BPF object's .rodata, .data and .bss, by name through its BTF. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

struct bpf_object;
struct bpf_map;

namespace kbtop {

/** A value on its way in: an integer with its sign kept, or raw bytes. */
struct Integer {
  bool negative;
  /** Two's complement when negative. */
  uint64_t bits;
};
using GlobalValue = std::variant<Integer, std::vector<uint8_t>>;

struct Variable {
  bpf_map* map;
  size_t offset;
  size_t size;
  /** An integer, bool or enum of 1, 2, 4 or 8 bytes. */
  bool scalar;
  bool is_signed;
  bool is_bool;
  bool read_only;
};

/** Throws Failure ERR_BPF_ARGUMENT when there is none of that name. */
Variable find_variable(const bpf_object* object, const std::string& object_name, const std::string& name);

/** The bytes to store. Throws Failure ERR_BPF_ARGUMENT when the value does not fit the variable. */
std::vector<uint8_t> encode(const Variable& variable, const std::string& name, const GlobalValue& value);

/** Store in one access when the variable's size and place allow it, as a running program may read it. */
void store(uint8_t* at, const std::vector<uint8_t>& bytes);
std::vector<uint8_t> fetch(const uint8_t* at, size_t size);

/** One section's memory, shared with the kernel. */
class Section {
 public:
  /** Throws Failure. */
  Section(const bpf_map* map, bool writable);
  ~Section();
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  uint8_t* memory() const { return memory_; }

 private:
  uint8_t* memory_;
  size_t size_;
};

}  // namespace kbtop
