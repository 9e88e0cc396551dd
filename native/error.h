/** What goes wrong, as data: the one exception type of the core. The JavaScript side turns it into a BpfError. */
#pragma once

#include <exception>
#include <string>

namespace kbtop {

struct Logs {
  std::string libbpf;
  std::string verifier;
};

class Failure : public std::exception {
 public:
  /** @param number positive errno, 0 when there is none */
  Failure(std::string code, int number, std::string message, Logs logs = {});

  const char* what() const noexcept override { return message.c_str(); }

  std::string code;
  int number;
  std::string message;
  Logs logs;
};

/** Our own codes; everything else is an errno name. */
inline constexpr const char* kClosed = "ERR_BPF_CLOSED";
inline constexpr const char* kFormat = "ERR_BPF_FORMAT";
inline constexpr const char* kArgument = "ERR_BPF_ARGUMENT";
inline constexpr const char* kState = "ERR_BPF_STATE";

/** "EPERM" for 1; "errno 4242" for what the C library cannot name. */
std::string errno_name(int number);

/** "operation not permitted" for 1. */
std::string errno_text(int number);

/** A Failure from an errno (either sign); libbpf's own numbers from 4000 on become ERR_BPF_FORMAT. */
Failure errno_failure(int number, const std::string& what, Logs logs = {});

Failure argument_failure(const std::string& message);

}  // namespace kbtop
