#include "lock.h"

#include <errno.h>
#include <sys/file.h>

#include "error.h"

namespace kbtop {

bool try_lock(int descriptor) {
  while (flock(descriptor, LOCK_EX | LOCK_NB) < 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) throw errno_failure(errno, "cannot lock");
  }
  return true;
}

}  // namespace kbtop
