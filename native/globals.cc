#include "globals.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string_view>

#include "error.h"

namespace kbtop {

namespace {

bool is_variable_section(std::string_view name) {
  return name.rfind(".rodata", 0) == 0 || name.rfind(".data", 0) == 0 || name.rfind(".bss", 0) == 0;
}

void describe_type(const btf* types, uint32_t id, Variable& variable) {
  const int resolved = btf__resolve_type(types, id);
  const btf_type* type = resolved < 0 ? nullptr : btf__type_by_id(types, static_cast<uint32_t>(resolved));
  if (!type) return;
  const bool fits = variable.size == 1 || variable.size == 2 || variable.size == 4 || variable.size == 8;
  if (btf_is_int(type)) {
    variable.scalar = fits;
    variable.is_signed = btf_int_encoding(type) & BTF_INT_SIGNED;
    variable.is_bool = btf_int_encoding(type) & BTF_INT_BOOL;
  } else if (btf_is_any_enum(type)) {
    variable.scalar = fits;
    variable.is_signed = btf_kflag(type);
  }
}

std::string range_of(const Variable& variable) {
  if (variable.is_bool) return "bool";
  return std::string(variable.is_signed ? "s" : "u") + std::to_string(variable.size * 8);
}

bool fits(const Variable& variable, const Integer& value) {
  if (variable.is_bool) return !value.negative && value.bits <= 1;
  const unsigned width = static_cast<unsigned>(variable.size * 8);
  if (!variable.is_signed) return !value.negative && (width == 64 || value.bits >> width == 0);
  const uint64_t limit = uint64_t{1} << (width - 1);
  return value.negative ? ~value.bits < limit : value.bits < limit;
}

template <typename T>
void store_as(uint8_t* at, const std::vector<uint8_t>& bytes) {
  T value;
  memcpy(&value, bytes.data(), sizeof(value));
  __atomic_store_n(reinterpret_cast<T*>(at), value, __ATOMIC_RELEASE);
}

template <typename T>
void fetch_as(const uint8_t* at, std::vector<uint8_t>& bytes) {
  const T value = __atomic_load_n(reinterpret_cast<const T*>(at), __ATOMIC_ACQUIRE);
  memcpy(bytes.data(), &value, sizeof(value));
}

bool aligned(const uint8_t* at, size_t size) { return reinterpret_cast<uintptr_t>(at) % size == 0; }

}  // namespace

Variable find_variable(const bpf_object* object, const std::string& object_name, const std::string& name) {
  const btf* types = bpf_object__btf(object);
  const uint32_t count = types ? btf__type_cnt(types) : 0;
  for (uint32_t id = 1; id < count; id++) {
    const btf_type* section = btf__type_by_id(types, id);
    if (!section || !btf_is_datasec(section)) continue;
    const char* section_name = btf__name_by_offset(types, section->name_off);
    if (!section_name || !is_variable_section(section_name)) continue;
    const btf_var_secinfo* entry = btf_var_secinfos(section);
    for (uint16_t i = 0; i < btf_vlen(section); i++, entry++) {
      const btf_type* type = btf__type_by_id(types, entry->type);
      const char* found = type && btf_is_var(type) ? btf__name_by_offset(types, type->name_off) : nullptr;
      if (!found || name != found) continue;
      Variable variable = {};
      variable.map = bpf_object__find_map_by_name(object, section_name);
      variable.offset = entry->offset;
      variable.size = entry->size;
      variable.read_only = std::string_view(section_name).rfind(".rodata", 0) == 0;
      describe_type(types, type->type, variable);
      if (variable.map && variable.offset + variable.size <= bpf_map__value_size(variable.map)) return variable;
    }
  }
  throw argument_failure(object_name + " has no global variable " + name);
}

std::vector<uint8_t> encode(const Variable& variable, const std::string& name, const GlobalValue& value) {
  if (const auto* bytes = std::get_if<std::vector<uint8_t>>(&value)) {
    if (bytes->size() != variable.size) {
      throw argument_failure("variable " + name + " has " + std::to_string(variable.size) + " bytes, not " +
                             std::to_string(bytes->size()));
    }
    return *bytes;
  }
  if (!variable.scalar) throw argument_failure("variable " + name + " is not a number: give its bytes");
  const Integer& integer = std::get<Integer>(value);
  if (!fits(variable, integer)) throw argument_failure("value does not fit variable " + name + " (" + range_of(variable) + ")");
  std::vector<uint8_t> bytes(variable.size);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  memcpy(bytes.data(), &integer.bits, variable.size);
#else
#error "kbtop supports little-endian machines"
#endif
  return bytes;
}

void store(uint8_t* at, const std::vector<uint8_t>& bytes) {
  switch (aligned(at, bytes.size() ? bytes.size() : 1) ? bytes.size() : 0) {
    case 1: return store_as<uint8_t>(at, bytes);
    case 2: return store_as<uint16_t>(at, bytes);
    case 4: return store_as<uint32_t>(at, bytes);
    case 8: return store_as<uint64_t>(at, bytes);
    default: memcpy(at, bytes.data(), bytes.size());
  }
}

std::vector<uint8_t> fetch(const uint8_t* at, size_t size) {
  std::vector<uint8_t> bytes(size);
  switch (aligned(at, size ? size : 1) ? size : 0) {
    case 1: fetch_as<uint8_t>(at, bytes); break;
    case 2: fetch_as<uint16_t>(at, bytes); break;
    case 4: fetch_as<uint32_t>(at, bytes); break;
    case 8: fetch_as<uint64_t>(at, bytes); break;
    default: memcpy(bytes.data(), at, size);
  }
  return bytes;
}

Section::Section(const bpf_map* map, bool writable) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_ = (bpf_map__value_size(map) + page - 1) / page * page;
  // libbpf's own mapping shows what was set before load, not what the programs write.
  void* memory = mmap(nullptr, size_, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
  if (memory == MAP_FAILED) throw errno_failure(errno, std::string("cannot map ") + bpf_map__name(map));
  memory_ = static_cast<uint8_t*>(memory);
}

Section::~Section() { munmap(memory_, size_); }

}  // namespace kbtop
