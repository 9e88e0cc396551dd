#include "image.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include <memory>

#include "log.h"

namespace kbtop {

namespace {

struct ElfEnd {
  void operator()(Elf* elf) const { elf_end(elf); }
};
struct BtfFree {
  void operator()(btf* types) const { btf__free(types); }
};

/** The .BTF section's types; null when the file has none that can be read. */
std::unique_ptr<btf, BtfFree> types_of(const std::vector<uint8_t>& image) {
  if (elf_version(EV_CURRENT) == EV_NONE) return nullptr;
  // libelf takes a writable pointer and does not write.
  auto* bytes = reinterpret_cast<char*>(const_cast<uint8_t*>(image.data()));
  const std::unique_ptr<Elf, ElfEnd> elf(elf_memory(bytes, image.size()));
  size_t names = 0;
  if (!elf || elf_getshdrstrndx(elf.get(), &names) != 0) return nullptr;
  for (Elf_Scn* section = elf_nextscn(elf.get(), nullptr); section; section = elf_nextscn(elf.get(), section)) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header)) continue;
    const char* name = elf_strptr(elf.get(), names, header.sh_name);
    if (!name || strcmp(name, BTF_ELF_SEC) != 0) continue;
    const Elf_Data* data = elf_rawdata(section, nullptr);
    if (!data || !data->d_buf) return nullptr;
    btf* types = btf__new(data->d_buf, static_cast<uint32_t>(data->d_size));
    return std::unique_ptr<btf, BtfFree>(libbpf_get_error(types) ? nullptr : types);
  }
  return nullptr;
}

/** Whether all that a type refers to is there. */
bool is_sound(const btf* types, const btf_type* type, uint32_t count) {
  const auto named = [types](uint32_t offset) { return btf__str_by_offset(types, offset) != nullptr; };
  const auto exists = [count](uint32_t id) { return id < count; };
  if (!named(type->name_off)) return false;
  const uint16_t parts = btf_vlen(type);
  switch (btf_kind(type)) {
    case BTF_KIND_PTR:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG:
    case BTF_KIND_TYPE_TAG:
      return exists(type->type);
    case BTF_KIND_ARRAY:
      return exists(btf_array(type)->type) && exists(btf_array(type)->index_type);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      for (uint16_t i = 0; i < parts; i++) {
        if (!named(btf_members(type)[i].name_off) || !exists(btf_members(type)[i].type)) return false;
      }
      return true;
    case BTF_KIND_FUNC_PROTO:
      for (uint16_t i = 0; i < parts; i++) {
        if (!named(btf_params(type)[i].name_off) || !exists(btf_params(type)[i].type)) return false;
      }
      return exists(type->type);
    case BTF_KIND_ENUM:
      for (uint16_t i = 0; i < parts; i++) {
        if (!named(btf_enum(type)[i].name_off)) return false;
      }
      return true;
    case BTF_KIND_ENUM64:
      for (uint16_t i = 0; i < parts; i++) {
        if (!named(btf_enum64(type)[i].name_off)) return false;
      }
      return true;
    case BTF_KIND_DATASEC:
      for (uint16_t i = 0; i < parts; i++) {
        if (!exists(btf_var_secinfos(type)[i].type)) return false;
      }
      return true;
    default:
      return true;
  }
}

}  // namespace

std::string image_fault(const std::vector<uint8_t>& image) {
  const LogCapture quiet;
  const auto types = types_of(image);
  if (!types) return {};
  const uint32_t count = btf__type_cnt(types.get());
  for (uint32_t id = 1; id < count; id++) {
    const btf_type* type = btf__type_by_id(types.get(), id);
    if (!type || !is_sound(types.get(), type, count)) return "its BTF type " + std::to_string(id) + " is corrupt";
  }
  for (uint32_t id = 1; id < count; id++) {
    // Typedefs and qualifiers that lead to themselves; resolving gives up after 32 steps.
    const btf_type* type = btf__type_by_id(types.get(), id);
    if ((btf_is_mod(type) || btf_is_typedef(type)) && btf__resolve_type(types.get(), id) < 0) {
      return "its BTF type " + std::to_string(id) + " is corrupt";
    }
  }
  return {};
}

}  // namespace kbtop
