/** Attaching, detaching and running programs of a loaded object. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <thread>

#include "descriptor.h"
#include "log.h"
#include "object.h"
#include "reason.h"
#include "tracefs.h"

namespace kbtop {

namespace {

constexpr size_t kMaxThreads = 16;
constexpr size_t kReadBytes = 256 * 1024;

/** @param section names the program's type and where it was to go */
ProgramResult not_attached(const bpf_program* program, const std::string& section, int error, const std::string& log) {
  ProgramResult result;
  result.program = bpf_program__name(program);
  result.ok = false;
  result.code = errno_name(error);
  result.reason = attach_reason(section, error, log);
  result.log = log;
  return result;
}

ProgramResult not_loaded(const bpf_program* program, const std::map<std::string, ProgramResult>& refused) {
  const auto found = refused.find(bpf_program__name(program));
  if (found != refused.end()) return found->second;
  ProgramResult result;
  result.program = bpf_program__name(program);
  result.ok = false;
  result.code = "ENOENT";
  result.reason = "not loaded, because it was not asked for";
  return result;
}

/** "category/name" of a program on a classic tracepoint, else "". */
std::string tracepoint_of(const bpf_program* program) {
  const std::string section = bpf_program__section_name(program);
  for (const char* prefix : {"tracepoint/", "tp/"}) {
    if (section.rfind(prefix, 0) == 0) return section.substr(strlen(prefix));
  }
  return "";
}

/** kprobes take their place when they are attached; what BTF places must be told at load. */
bool is_kprobe(const bpf_program* program) {
  return bpf_program__type(program) == BPF_PROG_TYPE_KPROBE && bpf_program__expected_attach_type(program) != BPF_TRACE_KPROBE_MULTI;
}

/** "fmod_ret/f" from "fmod_ret" or "fmod_ret/g" and "f". */
std::string section_for(const std::string& section, const std::string& target) {
  return section.substr(0, section.find('/')) + "/" + target;
}

/**
 * Leaving a classic tracepoint waits some 70 ms for all CPUs (tracepoint_synchronize_unregister); waits that run
 * side by side share most of it.
 */
void destroy(const std::vector<bpf_link*>& links) {
  std::vector<std::thread> threads;
  for (bpf_link* link : links) {
    try {
      if (links.size() == 1 || threads.size() >= kMaxThreads) throw std::system_error();
      threads.emplace_back([link] { bpf_link__destroy(link); });
    } catch (const std::system_error&) {
      bpf_link__destroy(link);
    }
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

ProgramResult Object::attach_one(bpf_program* program) {
  const std::string name = bpf_program__name(program);
  if (const auto target = config_.attach_targets.find(name); target != config_.attach_targets.end() && is_kprobe(program)) {
    return attach_kprobe_at(program, target->second);
  }
  ProgramResult done;
  done.program = name;
  if (is_attached(name)) return done;
  if (bpf_program__fd(program) < 0) return not_loaded(program, refused_);
  LogCapture log;
  errno = 0;
  bpf_link* link = bpf_program__attach(program);
  if (!link) {
    const int error = errno ? errno : EINVAL;
    const std::string tracepoint = error == ENOENT ? tracepoint_of(program) : "";
    if (!tracepoint.empty()) link = attach_tracepoint_unmounted(program, tracepoint);
    if (!link) return not_attached(program, attach_section(program), error, log.text());
  }
  links_[{name, ""}] = link;
  return done;
}

/** The section that would say where the program goes: a target set before load is not in its own. */
std::string Object::attach_section(const bpf_program* program) const {
  const std::string section = bpf_program__section_name(program);
  const auto target = config_.attach_targets.find(bpf_program__name(program));
  return target == config_.attach_targets.end() ? section : section_for(section, target->second);
}

bool Object::is_attached(const std::string& name) const {
  const auto link = links_.lower_bound({name, ""});
  return link != links_.end() && link->first.first == name;
}

ProgramResult Object::attach_kprobe(const std::string& name, const std::string& function) {
  require_loaded();
  const bpf_program* program = require_program(name);
  if (!is_kprobe(program)) throw argument_failure("program " + name + " of " + config_.name + " is not a kprobe");
  return attach_kprobe_at(program, function);
}

ProgramResult Object::attach_kprobe_at(const bpf_program* program, const std::string& function) {
  ProgramResult done;
  done.program = bpf_program__name(program);
  const auto place = std::make_pair(done.program, function);
  if (links_.count(place)) return done;
  if (bpf_program__fd(program) < 0) return not_loaded(program, refused_);
  const std::string section = bpf_program__section_name(program);
  LogCapture log;
  errno = 0;
  bpf_link* link = bpf_program__attach_kprobe(program, section.rfind("kretprobe", 0) == 0, function.c_str());
  if (!link) return not_attached(program, section_for(section, function), errno ? errno : EINVAL, log.text());
  links_[place] = link;
  return done;
}

std::vector<ProgramResult> Object::attach(const std::vector<std::string>& names) {
  require_loaded();
  for (const auto& name : names) require_program(name);
  return attach_all(names);
}

void Object::begin_work(const std::vector<std::string>& names) {
  require_loaded();
  for (const auto& name : names) require_program(name);
  const std::lock_guard lock(mutex_);
  work_ = Work::kRunning;
}

void Object::begin_attach(const std::vector<std::string>& names) { begin_work(names); }

std::vector<ProgramResult> Object::attach_begun(const std::vector<std::string>& names) {
  return finish(State::kLoaded, State::kLoaded, [&] { return attach_all(names); });
}

std::vector<ProgramResult> Object::attach_all(const std::vector<std::string>& names) {
  std::vector<ProgramResult> results;
  if (!names.empty()) {
    for (const auto& name : names) results.push_back(attach_one(find_program(name)));
    return results;
  }
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    if (bpf_program__fd(program) < 0) continue;
    ProgramResult result = attach_one(program);
    // Its section does not say where it goes, e.g. cgroup programs: whoever wants it names its place.
    if (result.code == "EOPNOTSUPP") continue;
    results.push_back(std::move(result));
  }
  return results;
}

ProgramResult Object::attach_cgroup(const std::string& name, const std::string& directory) {
  require_loaded();
  bpf_program* program = require_program(name);
  ProgramResult done;
  done.program = name;
  if (links_.count({name, directory})) return done;
  if (bpf_program__fd(program) < 0) return not_loaded(program, refused_);
  const Descriptor cgroup(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (cgroup.fd < 0) {
    const int error = errno;
    ProgramResult result = not_attached(program, attach_section(program), error, "");
    result.reason = "cannot open cgroup " + directory + ": " + errno_text(error) + " (" + errno_name(error) + ")";
    return result;
  }
  LogCapture log;
  errno = 0;
  bpf_link* link = bpf_program__attach_cgroup(program, cgroup.fd);
  if (!link) return not_attached(program, attach_section(program), errno ? errno : EINVAL, log.text());
  links_[{name, directory}] = link;
  return done;
}

void Object::detach(const std::vector<std::string>& names) {
  require_loaded();
  for (const auto& name : names) require_program(name);
  detach_all(names);
}

void Object::begin_detach(const std::vector<std::string>& names) { begin_work(names); }

void Object::detach_begun(const std::vector<std::string>& names) {
  finish(State::kLoaded, State::kLoaded, [&] {
    detach_all(names);
    return std::vector<ProgramResult>();
  });
}

void Object::detach_all(const std::vector<std::string>& names) {
  std::vector<bpf_link*> links;
  for (auto link = links_.begin(); link != links_.end();) {
    const bool wanted = names.empty() || std::find(names.begin(), names.end(), link->first.first) != names.end();
    if (wanted) links.push_back(link->second);
    link = wanted ? links_.erase(link) : std::next(link);
  }
  destroy(links);
}

std::vector<uint8_t> Object::iterate(const std::string& name) const {
  require_loaded();
  require_program(name);
  const auto link = links_.find({name, ""});
  if (link == links_.end()) throw Failure(kState, 0, "program " + name + " of " + config_.name + " is not attached");
  const Descriptor iterator(bpf_iter_create(bpf_link__fd(link->second)));
  if (iterator.fd < 0) throw errno_failure(iterator.fd, "cannot start iterator " + name);
  std::vector<uint8_t> bytes;
  for (size_t used = 0;;) {
    bytes.resize(used + kReadBytes);
    const ssize_t got = read(iterator.fd, bytes.data() + used, kReadBytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) throw errno_failure(errno, "cannot read iterator " + name);
    if (got == 0) {
      bytes.resize(used);
      return bytes;
    }
    used += static_cast<size_t>(got);
  }
}

}  // namespace kbtop
