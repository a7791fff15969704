// timespec <-> chrono, and reading one clock (clock_gettime(2)).
#pragma once

#include <ctime>

#include "agent/core/time.hpp"

namespace clockmend::os {

[[nodiscard]] inline core::nanoseconds from_timespec(const timespec& t) { return core::seconds{t.tv_sec} + core::nanoseconds{t.tv_nsec}; }

/// Cannot fail for the four clocks used here: they exist on every Linux this is built for.
[[nodiscard]] inline core::nanoseconds read_clock(clockid_t id) {
  timespec t{};
  ::clock_gettime(id, &t);
  return from_timespec(t);
}

}  // namespace clockmend::os
