/** Who is at the other end of a unix socket, as the kernel noted it when that end was connected. */
#pragma once

#include <sys/types.h>

#include <vector>

namespace kbtop {

struct Peer {
  /** 0 when it is in a pid namespace that cannot be seen from here. */
  pid_t pid;
  /** Effective ids; the overflow id (mostly 65534) when it has none in this user namespace. */
  uid_t uid;
  gid_t gid;
  /** Supplementary groups. */
  std::vector<gid_t> groups;
};

/** Throws Failure: ENOTSOCK, ENODATA, ENOPROTOOPT when it is no connected unix socket, ... */
Peer socket_peer(int socket);

}  // namespace kbtop
