/** Loading: libbpf loads all programs of an object or none, so what the kernel refuses is left out and the rest tried again. */
#include <bpf/libbpf.h>

#include "log.h"
#include "object.h"
#include "reason.h"

namespace kbtop {

namespace {

ProgramResult refusal(const bpf_program* program, int error, const std::string& log) {
  ProgramResult result;
  result.program = bpf_program__name(program);
  result.ok = false;
  result.code = errno_name(-error);
  result.reason = load_reason(bpf_program__section_name(program), -error, result.program, log);
  result.log = lines_about(log, result.program) + verifier_log(log, result.program);
  return result;
}

}  // namespace

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

std::vector<ProgramResult> Object::load_what_can_be() {
  for (;;) {
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
    refused_[culprit] = refusal(program, error, log.text());

    bool some_left = false;
    bpf_program* other;
    bpf_object__for_each_program(other, object_) {
      some_left |= bpf_program__autoload(other) && !refused_.count(bpf_program__name(other));
    }
    if (!some_left) {
      Failure failure = errno_failure(error, "", logs);
      failure.message = "cannot load " + config_.name;
      for (const auto& [name, refused] : refused_) failure.message += (refused_.size() > 1 ? "; " + name : "") + ": " + refused.reason;
      throw failure;
    }
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
