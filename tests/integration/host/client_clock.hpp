// A clock for the sessions under test: the real one, so that stamps look like a host's.
#pragma once

#include <time.h>

#include "agent/core/ports/clock_reader.hpp"

namespace clockmend::tests {

class ClientClock final : public core::ClockReader {
 public:
  [[nodiscard]] core::ClockSnapshot snapshot() override {
    core::ClockSnapshot s;
    s.realtime = core::RealtimePoint{read(CLOCK_REALTIME)};
    s.monotonic = core::MonotonicPoint{read(CLOCK_MONOTONIC)};
    return s;
  }
  [[nodiscard]] core::KernelClockStatus kernel_status() override { return {}; }
  [[nodiscard]] std::string clocksource() override { return "test"; }

  static core::nanoseconds read(clockid_t id) {
    timespec t{};
    ::clock_gettime(id, &t);
    return core::seconds{t.tv_sec} + core::nanoseconds{t.tv_nsec};
  }
};

}  // namespace clockmend::tests
