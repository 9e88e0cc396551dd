#include "peer.h"

#include <errno.h>
#include <sys/socket.h>

#include <utility>

#include "error.h"

namespace kbtop {

namespace {

#ifndef SO_PEERGROUPS
constexpr int SO_PEERGROUPS = 59;
#endif

/** The kernel allows 65536 groups. */
constexpr size_t kMaxGroups = 65536;
constexpr size_t kFirstGroups = 64;

}  // namespace

Peer socket_peer(int socket) {
  ucred credentials = {};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) throw errno_failure(errno, "cannot tell who is at the other end");
  // Any socket answers; only one with another end has somebody there.
  if (credentials.uid == static_cast<uid_t>(-1)) throw errno_failure(ENODATA, "cannot tell who is at the other end");
  std::vector<gid_t> groups(kFirstGroups);
  for (;;) {
    size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) break;
    // Then the size is that of all groups.
    if (errno != ERANGE || groups.size() >= kMaxGroups) throw errno_failure(errno, "cannot tell the groups of who is at the other end");
    groups.resize(size / sizeof(gid_t));
  }
  groups.resize(size / sizeof(gid_t));
  return {credentials.pid, credentials.uid, credentials.gid, std::move(groups)};
}

}  // namespace kbtop
