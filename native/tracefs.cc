#include "tracefs.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kbtop {

namespace {

class Descriptor {
 public:
  explicit Descriptor(long fd) : fd_(static_cast<int>(fd)) {}
  ~Descriptor() {
    const int error = errno;
    if (fd_ >= 0) close(fd_);
    errno = error;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  bool ok() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

/** Number of a tracepoint, -1 with errno. The mount is never attached to a directory and goes with its descriptor. */
long tracepoint_id(const std::string& tracepoint) {
  const Descriptor context(syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC));
  if (!context.ok() || syscall(SYS_fsconfig, context.fd(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) return -1;
  const Descriptor mount(syscall(SYS_fsmount, context.fd(), FSMOUNT_CLOEXEC, 0));
  if (!mount.ok()) return -1;
  const Descriptor file(openat(mount.fd(), ("events/" + tracepoint + "/id").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return -1;
  char text[32] = {};
  if (read(file.fd(), text, sizeof(text) - 1) <= 0) return -1;
  return strtol(text, nullptr, 10);
}

}  // namespace

bpf_link* attach_tracepoint_unmounted(const bpf_program* program, const std::string& tracepoint) {
  const long id = tracepoint_id(tracepoint);
  if (id < 0) return nullptr;
  perf_event_attr attributes = {};
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.size = sizeof(attributes);
  attributes.config = static_cast<unsigned long>(id);
  Descriptor event(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC));
  if (!event.ok()) return nullptr;
  bpf_link* link = bpf_program__attach_perf_event(program, event.fd());
  if (link) event.release();
  return link;
}

}  // namespace kbtop
