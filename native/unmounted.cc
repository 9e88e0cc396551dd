#include "unmounted.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>

namespace kbtop {

namespace {
constexpr size_t kMaxText = 1 << 20;
}

bool read_unmounted(const std::string& file_system, const std::string& path, std::string* text) {
  const OwnDescriptor context(syscall(SYS_fsopen, file_system.c_str(), FSOPEN_CLOEXEC));
  if (!context.ok() || syscall(SYS_fsconfig, context.fd(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) return false;
  const OwnDescriptor mount(syscall(SYS_fsmount, context.fd(), FSMOUNT_CLOEXEC, 0));
  if (!mount.ok()) return false;
  const OwnDescriptor file(openat(mount.fd(), path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return false;
  text->clear();
  char chunk[4096];
  while (text->size() < kMaxText) {
    const ssize_t got = read(file.fd(), chunk, sizeof(chunk));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    text->append(chunk, static_cast<size_t>(got));
  }
  return true;
}

}  // namespace kbtop
