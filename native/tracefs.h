/** Classic tracepoints where tracefs is not mounted, as in most containers. */
#pragma once

#include <string>

struct bpf_link;
struct bpf_program;

namespace kbtop {

/**
 * Attach to a tracepoint whose number is read from a tracefs of our own, which no mount namespace ever sees.
 * @param tracepoint "category/name" @returns null with errno set when that is not possible
 */
bpf_link* attach_tracepoint_unmounted(const bpf_program* program, const std::string& tracepoint);

}  // namespace kbtop
