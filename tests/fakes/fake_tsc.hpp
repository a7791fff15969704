// A time stamp counter that may run on while the guest's clocks stand still.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/core/ports/tsc.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace clockmend::fakes {

class FakeTsc final : public core::Tsc {
 public:
  explicit FakeTsc(FakeClock& clock) : clock_(clock), start_(clock.truth()) {}

  core::Result<core::TscReading> read() override {
    ++reads;
    if (error) return *error;
    core::ClockSnapshot at = clock_.snapshot();
    at.bracket += bracket;
    return core::TscReading{ticks(), at};
  }
  [[nodiscard]] bool emulated() const override { return emulator; }

  /// It counts the true time; `frozen` of it was not counted.
  [[nodiscard]] std::uint64_t ticks() const {
    const auto counted = clock_.truth() - start_ - frozen;
    return base + static_cast<std::uint64_t>(static_cast<double>(counted.count()) * hz / 1e9);
  }
  /// The counter stood still or was set back by `d` (migration, restore, emulator).
  void lose(core::nanoseconds d) { frozen += d; }

  // What the test may set freely.
  std::optional<core::Error> error;
  bool emulator = false;
  double hz = 2.5e9;
  std::uint64_t base = 1'000'000'000'000;
  core::nanoseconds frozen{};
  core::nanoseconds bracket{200};
  // What happened.
  unsigned reads = 0;

 private:
  FakeClock& clock_;
  core::RealtimePoint start_;
};

}  // namespace clockmend::fakes
