#include "tracefs.h"

#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unmounted.h"

namespace kbtop {

namespace {

/** Number of a tracepoint, -1 with errno. */
long tracepoint_id(const std::string& tracepoint) {
  std::string text;
  if (!read_unmounted("tracefs", "events/" + tracepoint + "/id", &text)) return -1;
  return strtol(text.c_str(), nullptr, 10);
}

}  // namespace

bpf_link* attach_tracepoint_unmounted(const bpf_program* program, const std::string& tracepoint) {
  const long id = tracepoint_id(tracepoint);
  if (id < 0) return nullptr;
  perf_event_attr attributes = {};
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.size = sizeof(attributes);
  attributes.config = static_cast<unsigned long>(id);
  OwnDescriptor event(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC));
  if (!event.ok()) return nullptr;
  bpf_link* link = bpf_program__attach_perf_event(program, event.fd());
  if (link) event.release();
  return link;
}

}  // namespace kbtop
