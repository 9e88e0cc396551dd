#include "error.h"

#include <bpf/libbpf.h>
#include <string.h>

#include <cctype>
#include <utility>

namespace kbtop {

namespace {

// The kernel's own, which the C library does not know but bpf(2) returns.
constexpr int kEnotsupp = 524;

}  // namespace

Failure::Failure(std::string code_, int number_, std::string message_, Logs logs_)
    : code(std::move(code_)), number(number_), message(std::move(message_)), logs(std::move(logs_)) {}

std::string errno_name(int number) {
  if (number == kEnotsupp) return "ENOTSUPP";
  const char* name = strerrorname_np(number);
  return name ? name : "errno " + std::to_string(number);
}

std::string errno_text(int number) {
  if (number == kEnotsupp) return "not supported by this kernel";
  char buffer[128];
  std::string text = strerror_r(number, buffer, sizeof(buffer));
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1]))) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

Failure errno_failure(int number, const std::string& what, Logs logs) {
  number = number < 0 ? -number : number;
  if (number >= __LIBBPF_ERRNO__START) {
    char text[128];
    libbpf_strerror(number, text, sizeof(text));
    return Failure(kFormat, 0, what + ": " + text, std::move(logs));
  }
  return Failure(errno_name(number), number, what + ": " + errno_text(number) + " (" + errno_name(number) + ")",
                 std::move(logs));
}

Failure argument_failure(const std::string& message) { return Failure(kArgument, 0, message); }

}  // namespace kbtop
