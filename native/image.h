/** Checks on an object file that libbpf leaves out. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kbtop {

/**
 * What is wrong with the file's type information; empty when nothing is, or when libbpf will find it by itself.
 * libbpf before 1.4 follows type ids without looking, so one flipped bit in .BTF could crash the process.
 */
std::string image_fault(const std::vector<uint8_t>& image);

}  // namespace kbtop
