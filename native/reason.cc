#include "reason.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string_view>

#include "error.h"
#include "log.h"

namespace kbtop {

namespace {

constexpr const char* kNoBtf =
    "this kernel has no BTF type information (/sys/kernel/btf/vmlinux); it needs CONFIG_DEBUG_INFO_BTF=y";

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string named(int error) { return errno_text(error) + " (" + errno_name(error) + ")"; }

/** "fentry" of "fentry/do_sys_open", "?kprobe/x" or "tracepoint". */
std::string type_of(const std::string& section) {
  const size_t from = section.rfind('?', 0) == 0 ? 1 : 0;
  return section.substr(from, section.find('/') - from);
}

std::string target_of(const std::string& section) {
  const size_t slash = section.find('/');
  return slash == std::string::npos ? section : section.substr(slash + 1);
}

/** Effective capabilities, by their bits. */
uint64_t capabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct halves[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, halves) != 0) return 0;
  return static_cast<uint64_t>(halves[1].effective) << 32 | halves[0].effective;
}

bool has(int capability) { return capabilities() >> capability & 1; }

/** CAP_BPF and its like came out of CAP_SYS_ADMIN, which still stands for them. */
bool has_or_admin(int capability) { return has(capability) || has(CAP_SYS_ADMIN); }

std::string not_permitted(const std::string& what, int error = EPERM) {
  const std::string start = "not permitted (" + errno_name(error) + "): ";
  if (!has_or_admin(CAP_BPF) || !has_or_admin(CAP_PERFMON)) return start + what + " needs root, or CAP_BPF and CAP_PERFMON";
  if (what == "cgroup programs" && !has_or_admin(CAP_NET_ADMIN)) return start + what + " needs root, or CAP_NET_ADMIN";
  return start + "this kernel refuses " + what + (geteuid() == 0 ? " even to this root user" : " to this user, who has CAP_BPF and CAP_PERFMON");
}

/** tracefs is there, but its directory is root's alone. */
bool tracefs_is_closed() { return access("/sys/kernel/tracing/events", F_OK) != 0 && errno == EACCES; }

std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of("\n ");
  if (end == std::string::npos) return {};
  const size_t start = text.rfind('\n', end);
  return text.substr(start == std::string::npos ? 0 : start + 1, end - (start == std::string::npos ? 0 : start + 1) + 1);
}

/** The verifier ends with statistics; what it objects to stands before them. */
std::string objection(std::string log) {
  for (;;) {
    const std::string line = last_line(log);
    if (line.empty()) return {};
    const bool statistics = line.rfind("processed ", 0) == 0 || line.rfind("verification time", 0) == 0 ||
                            line.rfind("stack depth", 0) == 0;
    if (!statistics) return line;
    log.resize(log.find_last_not_of("\n ") + 1 - line.size());
  }
}

std::string between(const std::string& text, std::string_view before, std::string_view after) {
  const size_t start = text.rfind(before);
  if (start == std::string::npos) return {};
  const size_t from = start + before.size();
  const size_t end = text.find(after, from);
  return end == std::string::npos ? std::string() : text.substr(from, end - from);
}

bool btf_is_missing(const std::string& log) {
  return contains(log, "failed to find valid kernel BTF") || contains(log, "Error loading vmlinux BTF") ||
         contains(log, "kernel BTF is missing");
}

}  // namespace

std::string open_reason(int error, const std::string& log) {
  const std::string line = last_line(log);
  if (!line.empty()) return line;
  char text[128];
  libbpf_strerror(error, text, sizeof(text));
  return text;
}

std::string object_reason(int error, const std::string& log) {
  if (btf_is_missing(log)) return kNoBtf;
  const std::string map = between(log, "map '", "': failed to create");
  if (!map.empty() && contains(log, "': failed to create")) {
    if (error == EPERM) return "map " + map + ": " + not_permitted("creating BPF maps");
    return "map " + map + " cannot be created: " + named(error);
  }
  if (error == EPERM) return not_permitted("loading BPF programs");
  const std::string line = last_line(without_verifier_logs(log));
  return line.empty() ? named(error) : named(error) + ": " + line;
}

std::string load_reason(const std::string& section, int error, const std::string& program, const std::string& log) {
  const std::string type = type_of(section);
  if (btf_is_missing(log)) return kNoBtf;
  if (error == ESRCH || contains(lines_about(log, program), "failed to find kernel BTF type ID")) {
    return "this kernel has no " + target_of(section) + " to attach " + type + " to (" + errno_name(error) + ")";
  }
  const std::string why = objection(verifier_log(log, program));
  if (!why.empty()) return "the verifier refuses it (" + errno_name(error) + "): " + why;
  if (error == EPERM) return not_permitted(type + " programs");
  if (error == EINVAL || error == EOPNOTSUPP || error == 524) return "this kernel refuses " + type + " programs: " + named(error);
  return named(error);
}

std::string attach_reason(const std::string& section, int error, const std::string& log) {
  const std::string type = type_of(section), target = target_of(section);
  if (error == EOPNOTSUPP && log.empty()) return "its section " + section + " does not say where to attach it";
  if ((type == "tracepoint" || type == "tp" || type == "kprobe" || type == "kretprobe") && (error == EACCES || error == ENOENT) && tracefs_is_closed()) {
    return "cannot read tracefs at /sys/kernel/tracing: it needs root, or CAP_DAC_READ_SEARCH (" + errno_name(error) + ")";
  }
  if (error == ENOENT && (type == "tracepoint" || type == "tp") && contains(log, "determine tracepoint")) {
    return access("/sys/kernel/tracing/events", R_OK) == 0 || access("/sys/kernel/debug/tracing/events", R_OK) == 0
               ? "this kernel has no tracepoint " + target + " (ENOENT)"
               : "cannot find tracepoint " + target + ": tracefs is not mounted at /sys/kernel/tracing (ENOENT)";
  }
  if (error == ENOENT && contains(log, "legacy kprobe event") && access("/sys/kernel/tracing/kprobe_events", F_OK) != 0 &&
      access("/sys/kernel/debug/tracing/kprobe_events", F_OK) != 0) {
    return "this kernel has no kprobe events (CONFIG_KPROBE_EVENTS), or tracefs is not mounted at /sys/kernel/tracing (ENOENT)";
  }
  if (error == ENOENT) return "this kernel has no " + target + " to attach " + type + " to (ENOENT)";
  if (error == EPERM || error == EACCES) return not_permitted("attaching " + type + " programs", error);
  return "cannot attach to " + target + ": " + named(error);
}

std::string failed_program(const std::string& log) {
  constexpr std::string_view kHead = "prog '";
  // The last complaint that names a program is the one that ended the load.
  for (size_t at = log.rfind("': failed to "); at != std::string::npos && at > 0; at = log.rfind("': failed to ", at - 1)) {
    const size_t start = log.rfind(kHead, at);
    const size_t line = log.rfind('\n', at);
    if (start != std::string::npos && (line == std::string::npos || start > line)) {
      return log.substr(start + kHead.size(), at - start - kHead.size());
    }
  }
  return {};
}

}  // namespace kbtop
