/** Loading: libbpf loads all programs of an object or none, so what the kernel refuses is left out and the rest tried again. */
#include <bpf/libbpf.h>
#include <errno.h>

#include "log.h"
#include "object.h"
#include "reason.h"

namespace kbtop {

namespace {

ProgramResult refusal(const bpf_program* program, const std::string& section, int error, const std::string& log) {
  ProgramResult result;
  result.program = bpf_program__name(program);
  result.ok = false;
  result.code = errno_name(-error);
  result.reason = load_reason(section, -error, result.program, log);
  result.log = lines_about(log, result.program) + verifier_log(log, result.program);
  return result;
}

}  // namespace

/** What the kernel has no such function for is refused like any other program. */
void Object::set_attach_targets() {
  for (const auto& [name, target] : config_.attach_targets) {
    bpf_program* program = require_program(name);
    const bpf_prog_type type = bpf_program__type(program);
    const bool by_btf = type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM || type == BPF_PROG_TYPE_EXT;
    if (!by_btf || !bpf_program__autoload(program)) continue;
    LogCapture log;
    const int error = bpf_program__set_attach_target(program, 0, target.c_str());
    if (!error) continue;
    refused_[name] = refusal(program, attach_section(program), error, log.text());
    bpf_program__set_autoload(program, false);
  }
}

void Object::begin_load() {
  require_usable();
  const std::lock_guard lock(mutex_);
  if (state_ != State::kOpen) throw Failure(kState, 0, config_.name + " was loaded before");
  work_ = Work::kRunning;
}

std::vector<ProgramResult> Object::load() {
  return finish(State::kLoaded, State::kFailed, [this] {
    std::vector<ProgramResult> results = load_what_can_be();
    // Kept until here for reopening.
    image_ = {};
    return results;
  });
}

Failure Object::nothing_loads(const Failure& last) const {
  Failure failure = last;
  failure.message = "cannot load " + config_.name;
  for (const auto& [name, refused] : refused_) failure.message += (refused_.size() > 1 ? "; " + name : "") + ": " + refused.reason;
  return failure;
}

bool Object::some_left() const {
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    if (bpf_program__autoload(program) && !refused_.count(bpf_program__name(program))) return true;
  }
  return refused_.empty();
}

std::vector<ProgramResult> Object::load_what_can_be() {
  for (;;) {
    set_attach_targets();
    if (!some_left()) throw nothing_loads(errno_failure(ESRCH, ""));
    LogCapture log(config_.log_level > 0);
    const int error = bpf_object__load(object_);
    if (error == 0) {
      std::vector<ProgramResult> results;
      bpf_program* program;
      bpf_object__for_each_program(program, object_) {
        const char* name = bpf_program__name(program);
        if (const auto refused = refused_.find(name); refused != refused_.end()) {
          results.push_back(refused->second);
        } else if (bpf_program__autoload(program)) {
          ProgramResult result;
          result.program = name;
          result.log = verifier_log(log.text(), name);
          results.push_back(std::move(result));
        }
      }
      return results;
    }

    const std::string culprit = failed_program(log.text());
    const bpf_program* program = culprit.empty() ? nullptr : find_program(culprit);
    const Logs logs = {without_verifier_logs(log.text()), verifier_log(log.text(), culprit)};
    if (!program || refused_.count(culprit)) {
      Failure failure = errno_failure(error, "cannot load " + config_.name, logs);
      failure.message = "cannot load " + config_.name + ": " + object_reason(-error, log.text());
      throw failure;
    }
    refused_[culprit] = refusal(program, attach_section(program), error, log.text());
    if (!some_left()) throw nothing_loads(errno_failure(error, "", logs));
    {
      const std::lock_guard lock(mutex_);
      if (close_requested_) throw Failure(kClosed, 0, config_.name + " is closed");
    }
    // A failed load leaves a libbpf object that cannot be loaded again.
    bpf_object__close(object_);
    object_ = nullptr;
    open_image();
    configure();
  }
}

}  // namespace kbtop
