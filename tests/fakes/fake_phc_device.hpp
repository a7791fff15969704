// A PTP hardware clock that follows the true time, whatever the guest's clocks do.
#pragma once

#include <optional>
#include <random>
#include <string>
#include <utility>

#include "agent/core/ports/phc.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace clockmend::fakes {

/// One clock, plugged in or not.
class FakePhcDevice {
 public:
  FakePhcDevice(FakeClock& clock, std::string n, std::string name)
      : node(std::move(n)), clock_name(std::move(name)), clock_(clock), since_(clock.truth()) {}

  /// What it shows now.
  [[nodiscard]] core::nanoseconds time() const {
    const core::nanoseconds age = clock_.truth() - since_;
    return since_.time_since_epoch() + age + core::nanoseconds{static_cast<long>(static_cast<double>(age.count()) * rate_ppm * 1e-6)} +
           ahead;
  }
  /// What it shows - REALTIME: what a perfect reading would report.
  [[nodiscard]] core::nanoseconds offset() const { return time() - clock_.snapshot().realtime.time_since_epoch(); }
  /// Runs at another rate from now on, without a jump.
  void run_at(double ppm) {
    ahead = time() - clock_.truth().time_since_epoch();
    since_ = clock_.truth();
    rate_ppm = ppm;
  }
  void unplug() { present = false; }
  /// Plugged in (again), maybe under another number: descriptors opened before are stale.
  void plug(const std::string& under = {}) {
    if (!under.empty()) node = under;
    present = true;
    ++instance;
  }

  core::Result<core::PhcReading> read(unsigned of_instance) {
    ++reads;
    if (!present || of_instance != instance) return core::Error{core::ErrorCode::not_found, node + ": no such device"};
    if (error) return *error;
    if (outliers > 0) return best_of_five();
    core::nanoseconds width = bracket;
    if (widen_next > 0) {
      --widen_next;
      width = wide;
    }
    core::PhcReading reading;
    clock_.advance(width / 2);
    reading.at = clock_.snapshot();
    // Where in the bracket the clock was really read is not known.
    std::uniform_int_distribution<long> place(-width.count() / 2, width.count() / 2);
    reading.phc = time() + core::nanoseconds{place(random_)};
    clock_.advance(width / 2);
    reading.bracket = width;
    reading.samples = 5;
    return reading;
  }

  // What the test may set freely.
  std::string node;
  std::string clock_name;
  core::nanoseconds ahead{};  // of the true time: TAI, a host that is wrong
  double rate_ppm = 0.0;
  core::nanoseconds bracket{core::microseconds{30}};
  unsigned widen_next = 0;  // so many readings are ...
  core::nanoseconds wide{core::milliseconds{40}};
  /// Of each sample to be an outlier: something got between the clock and one of the two looks at the system's. With it every
  /// reading is the tightest of five samples, each at least `bracket` wide, with the clock read anywhere inside.
  double outliers = 0.0;
  core::nanoseconds outlier{core::milliseconds{1}};
  bool present = true;
  unsigned instance = 1;
  std::optional<core::Error> error;       // every read fails
  std::optional<core::Error> open_error;  // so does opening
  // What happened.
  unsigned reads = 0;
  unsigned opens = 0;

 private:
  [[nodiscard]] core::nanoseconds up_to(core::nanoseconds limit) {
    return core::nanoseconds{std::uniform_int_distribution<long>(0, limit.count())(random_)};
  }
  core::PhcReading best_of_five() {
    core::PhcReading best;
    for (unsigned i = 0; i < 5; ++i) {
      const core::nanoseconds width = bracket + up_to(bracket);
      core::nanoseconds before = up_to(width);
      core::nanoseconds after = width - before;
      if (std::bernoulli_distribution(outliers)(random_)) (up_to(core::nanoseconds{1}).count() == 0 ? before : after) += outlier;
      core::PhcReading sample;
      const core::ClockSnapshot begun = clock_.snapshot();
      clock_.advance(before);
      sample.phc = time();
      clock_.advance(after);
      sample.at = middle(begun, clock_.snapshot());
      sample.bracket = before + after;
      sample.samples = 5;
      if (i == 0 || sample.bracket < best.bracket) best = sample;
    }
    return best;
  }
  static core::ClockSnapshot middle(const core::ClockSnapshot& a, const core::ClockSnapshot& b) {
    core::ClockSnapshot m = a;
    m.realtime += (b.realtime - a.realtime) / 2;
    m.monotonic += (b.monotonic - a.monotonic) / 2;
    m.raw += (b.raw - a.raw) / 2;
    m.boottime += (b.boottime - a.boottime) / 2;
    return m;
  }

  FakeClock& clock_;
  core::RealtimePoint since_;
  std::mt19937 random_{1};
};

}  // namespace clockmend::fakes
