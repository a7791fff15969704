#include "agent/os/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace clockmend::os {

std::uint64_t KernelRandom::next64() {
  std::uint64_t value = 0;
  // getrandom(2): up to 256 bytes come whole or not at all. Before the pool is seeded it would wait; at the time a service
  // starts it is seeded, and a predictable NTP request would be worse than the wait.
  while (::getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value)) {
    if (errno != EINTR) std::abort();  // ENOSYS before Linux 3.17 only
  }
  return value;
}

}  // namespace clockmend::os
