/** A lock on an open file or directory that goes with the process, however that ends. */
#pragma once

namespace kbtop {

/** flock(2), exclusive, without waiting. False: another open file has it. Throws Failure. */
bool try_lock(int descriptor);

}  // namespace kbtop
