/** Why libbpf or the kernel said no, in one line for people. */
#pragma once

#include <string>

namespace kbtop {

/** Why an ELF image was not accepted. */
std::string open_reason(int error, const std::string& log);

/** Why a whole object could not be loaded. @param error positive errno */
std::string object_reason(int error, const std::string& log);

/** Why one program could not be loaded. @param section its ELF section, which names its type */
std::string load_reason(const std::string& section, int error, const std::string& program, const std::string& log);

/** Why one loaded program could not be attached. */
std::string attach_reason(const std::string& section, int error, const std::string& log);

/** The program that made a load fail, by libbpf's log; empty when it was something else. */
std::string failed_program(const std::string& log);

}  // namespace kbtop
