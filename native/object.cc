#include "object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <algorithm>

#include "image.h"
#include "log.h"
#include "reason.h"

namespace kbtop {

Object::Object(std::vector<uint8_t> image, OpenConfig config) : image_(std::move(image)), config_(std::move(config)) {
  if (image_.empty()) throw not_an_object("it is empty");
  if (const std::string fault = image_fault(image_); !fault.empty()) throw not_an_object(fault);
  open_image();
  try {
    configure();
  } catch (...) {
    bpf_object__close(object_);
    throw;
  }
}

Object::~Object() { release(); }

void Object::open_image() {
  LogCapture log(config_.log_level > 0);
  bpf_object_open_opts options = {};
  options.sz = sizeof(options);
  options.object_name = config_.name.c_str();
  options.kernel_log_level = config_.log_level;
  object_ = bpf_object__open_mem(image_.data(), image_.size(), &options);
  if (object_) return;
  const int error = errno;
  if (error == ENOMEM) throw errno_failure(error, "cannot open " + config_.name, {log.text(), {}});
  throw not_an_object(open_reason(error, log.text()), {log.text(), {}});
}

Failure Object::not_an_object(const std::string& why, Logs logs) const {
  return Failure(kFormat, 0, (config_.path.empty() ? config_.name : config_.path) + " is not a sound BPF object file (" + why + "): rebuild or reinstall it",
                 std::move(logs));
}

void Object::configure() {
  for (const auto& [name, wanted] : config_.autoload) bpf_program__set_autoload(require_program(name), wanted);
  for (const auto& [name, refusal] : refused_) bpf_program__set_autoload(require_program(name), false);
  const auto find_map = [this](const std::string& name) {
    bpf_map* map = bpf_object__find_map_by_name(object_, name.c_str());
    if (!map) throw argument_failure(config_.name + " has no map " + name);
    return map;
  };
  for (const auto& [name, target] : config_.attach_targets) require_program(name);
  for (const auto& [name, shared] : config_.shared_maps) share_map(name, shared);
  for (const auto& [name, entries] : config_.max_entries) {
    const int error = bpf_map__set_max_entries(find_map(name), entries);
    if (error) throw errno_failure(error, config_.name + ": cannot set the size of map " + name);
  }
  for (const auto& [name, flags] : config_.map_flags) {
    bpf_map* map = find_map(name);
    const uint32_t before = bpf_map__map_flags(map);
    const uint32_t after = flags >= 0 ? before | static_cast<uint32_t>(flags) : before & ~static_cast<uint32_t>(-flags);
    const int error = bpf_map__set_map_flags(map, after);
    if (error) throw errno_failure(error, config_.name + ": cannot set the flags of map " + name);
  }
  for (const auto& [name, value] : config_.globals) write_initial(name, value);
}

void Object::share_map(const std::string& name, const SharedMap& shared) {
  bpf_map* map = bpf_object__find_map_by_name(object_, name.c_str());
  if (!map) throw argument_failure(config_.name + " has no map " + name);
  if (bpf_map__is_internal(map)) throw argument_failure(config_.name + ": variables (" + name + ") cannot be shared, only maps");
  if (config_.max_entries.count(name) || config_.map_flags.count(name)) {
    throw argument_failure(config_.name + ": map " + name + " is shared, so its size and flags cannot be set");
  }
  // libbpf takes any map; programs would then be refused, or find other things in it than they expect.
  if (bpf_map__type(map) != shared.type || bpf_map__key_size(map) != shared.key_size || bpf_map__value_size(map) != shared.value_size) {
    throw argument_failure(config_.name + ": the map to share as " + name + " is of another type or size");
  }
  const int error = bpf_map__reuse_fd(map, shared.descriptor->fd);
  if (error) throw errno_failure(error, config_.name + ": cannot share map " + name);
}

void Object::write_initial(const std::string& name, const GlobalValue& value) {
  const Variable variable = find_variable(object_, config_.name, name);
  const std::vector<uint8_t> bytes = encode(variable, name, value);
  size_t size = 0;
  auto* memory = static_cast<uint8_t*>(const_cast<void*>(bpf_map__initial_value(variable.map, &size)));
  if (!memory || variable.offset + variable.size > size) {
    throw argument_failure("variable " + name + " of " + config_.name + " has no memory to set");
  }
  memcpy(memory + variable.offset, bytes.data(), bytes.size());
}

bpf_program* Object::find_program(const std::string& name) const {
  return bpf_object__find_program_by_name(object_, name.c_str());
}

bpf_program* Object::require_program(const std::string& name) const {
  bpf_program* program = find_program(name);
  if (!program) throw argument_failure(config_.name + " has no program " + name);
  return program;
}

void Object::require_usable() const {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kClosed || close_requested_) throw Failure(kClosed, 0, config_.name + " is closed");
  if (work_ != Work::kNone) throw Failure(kState, 0, config_.name + " is busy: await load() and the like first");
  if (!object_) throw Failure(kState, 0, config_.name + " could not be loaded");
}

void Object::require_loaded() const {
  require_usable();
  const std::lock_guard lock(mutex_);
  if (state_ == State::kLoaded) return;
  throw Failure(kState, 0, config_.name + (state_ == State::kFailed ? " could not be loaded" : " is not loaded: await load() first"));
}

bool Object::has_contents() const {
  const std::lock_guard lock(mutex_);
  return state_ == State::kLoaded && !close_requested_;
}

void Object::require_contents() const {
  if (!has_contents()) require_loaded();
}

std::vector<ProgramInfo> Object::programs() const {
  require_usable();
  std::vector<ProgramInfo> all;
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    const char* name = bpf_program__name(program);
    const int fd = bpf_program__fd(program);
    ProgramInfo info = {name, bpf_program__section_name(program), fd >= 0, false, 0, 0};
    bpf_prog_info details = {};
    uint32_t size = sizeof(details);
    if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &details, &size) == 0) info.id = details.id;
    if (const auto link = links_.lower_bound({name, ""}); link != links_.end() && link->first.first == name) {
      info.attached = true;
      bpf_link_info facts = {};
      size = sizeof(facts);
      if (bpf_obj_get_info_by_fd(bpf_link__fd(link->second), &facts, &size) == 0) info.link_id = facts.id;
    }
    all.push_back(std::move(info));
  }
  return all;
}

std::vector<std::string> Object::map_names() const {
  require_usable();
  std::vector<std::string> names;
  bpf_map* map;
  bpf_object__for_each_map(map, object_) names.emplace_back(bpf_map__name(map));
  return names;
}

Map& Object::map(const std::string& name) {
  require_contents();
  auto& slot = maps_[name];
  if (!slot) {
    const bpf_map* map = bpf_object__find_map_by_name(object_, name.c_str());
    if (!map) {
      maps_.erase(name);
      throw argument_failure(config_.name + " has no map " + name);
    }
    slot = std::make_unique<Map>(map);
  }
  return *slot;
}

Ring& Object::ring(const std::string& name) {
  Map& facts = map(name);
  if (facts.type != BPF_MAP_TYPE_RINGBUF) throw argument_failure("map " + name + " of " + config_.name + " is not a ring buffer");
  auto& slot = rings_[name];
  if (!slot) {
    bpf_map* map = bpf_object__find_map_by_name(object_, name.c_str());
    slot = std::make_unique<Ring>(bpf_map__fd(map), facts.max_entries);
  }
  return *slot;
}

Section& Object::section(const Variable& variable) {
  auto& slot = sections_[variable.map];
  if (!slot) slot = std::make_unique<Section>(variable.map, !variable.read_only);
  return *slot;
}

Object::Global Object::get_global(const std::string& name) {
  if (!has_contents()) require_usable();
  const Variable variable = find_variable(object_, config_.name, name);
  const bool loaded = bpf_map__fd(variable.map) >= 0;
  size_t size = 0;
  const uint8_t* memory = loaded ? section(variable).memory()
                                 : static_cast<const uint8_t*>(bpf_map__initial_value(variable.map, &size));
  if (!memory) throw argument_failure("variable " + name + " of " + config_.name + " has no memory to read");
  return {fetch(memory + variable.offset, variable.size), variable.scalar, variable.is_signed};
}

void Object::set_global(const std::string& name, const GlobalValue& value) {
  if (!has_contents()) require_usable();
  const Variable variable = find_variable(object_, config_.name, name);
  if (bpf_map__fd(variable.map) < 0) {
    write_initial(name, value);
    config_.globals.emplace_back(name, value);
    return;
  }
  if (variable.read_only) throw argument_failure("variable " + name + " of " + config_.name + " is const: set it before load()");
  store(section(variable).memory() + variable.offset, encode(variable, name, value));
}

ObjectStats Object::run_stats() const {
  require_contents();
  ObjectStats sum;
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    bpf_prog_info details = {};
    uint32_t size = sizeof(details);
    const int fd = bpf_program__fd(program);
    if (fd < 0 || bpf_obj_get_info_by_fd(fd, &details, &size) != 0) continue;
    sum.run_time_ns += details.run_time_ns;
    sum.run_count += details.run_cnt;
  }
  return sum;
}

uint64_t Object::missed_runs(const std::vector<std::string>& names) const {
  require_contents();
  for (const auto& name : names) require_program(name);
  uint64_t sum = 0;
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    if (!names.empty() && std::find(names.begin(), names.end(), bpf_program__name(program)) == names.end()) continue;
    bpf_prog_info details = {};
    uint32_t size = sizeof(details);
    const int fd = bpf_program__fd(program);
    if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &details, &size) == 0) sum += details.recursion_misses;
  }
  return sum;
}

void Object::close() {
  if (begin_close()) release();
}

bool Object::begin_close() {
  const std::lock_guard lock(mutex_);
  close_requested_ = true;
  // Whoever makes it closed releases, once; running work does it at its end.
  if (work_ == Work::kRunning || state_ == State::kClosed) return false;
  state_ = State::kClosed;
  return true;
}

std::vector<ProgramResult> Object::finish(State good, State bad, const std::function<std::vector<ProgramResult>()>& work) {
  std::vector<ProgramResult> results;
  std::exception_ptr failure;
  try {
    results = work();
  } catch (...) {
    failure = std::current_exception();
  }
  bool closing;
  {
    const std::lock_guard lock(mutex_);
    closing = close_requested_;
    state_ = closing ? State::kClosed : failure ? bad : good;
    work_ = Work::kDone;
  }
  if (closing) release();
  else if (failure) std::rethrow_exception(failure);
  return results;
}

void Object::settle() {
  const std::lock_guard lock(mutex_);
  work_ = Work::kNone;
  if (state_ == State::kClosed) throw Failure(kClosed, 0, config_.name + " was closed meanwhile");
}

void Object::release() {
  detach_all({});
  rings_.clear();
  sections_.clear();
  maps_.clear();
  bpf_object__close(object_);
  object_ = nullptr;
  image_ = {};
  config_.shared_maps.clear();
}

}  // namespace kbtop
