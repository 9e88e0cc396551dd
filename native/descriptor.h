/** A file descriptor that is closed with its owner. */
#pragma once

#include <unistd.h>

namespace kbtop {

struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  /** Negative when there is none. */
  const int fd;
};

}  // namespace kbtop
