#include "log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <string_view>

namespace kbtop {

namespace {

thread_local LogCapture* current = nullptr;

constexpr std::string_view kBegin = "-- BEGIN PROG LOAD LOG --\n";
constexpr std::string_view kEnd = "-- END PROG LOAD LOG --\n";

}  // namespace

struct LogSink {
  static int print(enum libbpf_print_level level, const char* format, va_list args) {
    LogCapture* capture = current;
    if (!capture || (level == LIBBPF_DEBUG && !capture->debug_)) return 0;
    va_list again;
    va_copy(again, args);
    const int size = vsnprintf(nullptr, 0, format, again);
    va_end(again);
    if (size <= 0) return 0;
    std::string message(static_cast<size_t>(size), '\0');
    vsnprintf(message.data(), message.size() + 1, format, args);
    // Given for every EPERM, and wrong on every kernel since 5.11, which charges memory to the cgroup.
    if (message.find("ulimit -l") != std::string::npos) return 0;
    if (message.rfind("libbpf: ", 0) == 0) message.erase(0, 8);
    capture->text_ += message;
    return size;
  }
};

void install_log_callback() { libbpf_set_print(&LogSink::print); }

LogCapture::LogCapture(bool debug) : debug_(debug), outer_(current) { current = this; }

LogCapture::~LogCapture() { current = outer_; }

std::string verifier_log(const std::string& text, const std::string& program) {
  const std::string head = "prog '" + program + "': " + std::string(kBegin);
  const size_t start = text.rfind(head);
  if (start == std::string::npos) return {};
  const size_t from = start + head.size();
  const size_t end = text.find(kEnd, from);
  return text.substr(from, end == std::string::npos ? end : end - from);
}

std::string without_verifier_logs(const std::string& text) {
  std::string kept;
  size_t at = 0;
  while (at < text.size()) {
    const size_t begin = text.find(kBegin, at);
    if (begin == std::string::npos) break;
    const size_t line = text.rfind('\n', begin);
    const size_t from = line == std::string::npos ? 0 : line + 1;
    kept.append(text, at, from > at ? from - at : 0);
    const size_t end = text.find(kEnd, begin);
    at = end == std::string::npos ? text.size() : end + kEnd.size();
  }
  return at < text.size() ? kept.append(text, at) : kept;
}

std::string lines_about(const std::string& text, const std::string& program) {
  const std::string head = "prog '" + program + "'";
  const std::string plain = without_verifier_logs(text);
  std::string kept;
  for (size_t at = 0; at < plain.size();) {
    size_t end = plain.find('\n', at);
    if (end == std::string::npos) end = plain.size();
    const std::string_view line(plain.data() + at, end - at);
    if (line.substr(0, head.size()) == head) kept.append(line).push_back('\n');
    at = end + 1;
  }
  return kept;
}

}  // namespace kbtop
