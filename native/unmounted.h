/** Files of the kernel's own file systems where these are not mounted, as in most containers. */
#pragma once

#include <errno.h>
#include <unistd.h>

#include <string>

namespace kbtop {

/** Closed at the end of its scope, errno being left alone. */
class OwnDescriptor {
 public:
  explicit OwnDescriptor(long fd) : fd_(static_cast<int>(fd)) {}
  ~OwnDescriptor() {
    const int error = errno;
    if (fd_ >= 0) close(fd_);
    errno = error;
  }
  OwnDescriptor(const OwnDescriptor&) = delete;
  OwnDescriptor& operator=(const OwnDescriptor&) = delete;
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

/**
 * Read a whole file of tracefs, debugfs or securityfs through a mount of our own, which is never attached to a directory
 * and goes with its descriptor. At most 1 MiB. @returns false with errno set when that is not possible
 */
bool read_unmounted(const std::string& file_system, const std::string& path, std::string* text);

}  // namespace kbtop
