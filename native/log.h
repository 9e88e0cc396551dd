/** What libbpf prints, caught per thread and call. */
#pragma once

#include <string>

namespace kbtop {

/** Route libbpf's messages to the captures; without a capture on the printing thread they are dropped. */
void install_log_callback();

/**
 * Collects what libbpf prints on this thread while it lives. libbpf's callback is one per process and carries
 * no context, so the sink is thread-local; captures nest.
 */
class LogCapture {
 public:
  /** @param debug also keep libbpf's debug messages */
  explicit LogCapture(bool debug = false);
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  const std::string& text() const { return text_; }

 private:
  friend struct LogSink;
  std::string text_;
  bool debug_;
  LogCapture* outer_;
};

/** The verifier's log of one program in what libbpf printed; empty when there is none. */
std::string verifier_log(const std::string& text, const std::string& program);

/** What libbpf printed about one program, and without the verifier's log. */
std::string lines_about(const std::string& text, const std::string& program);

/** Everything libbpf printed but the verifier's logs. */
std::string without_verifier_logs(const std::string& text);

}  // namespace kbtop
