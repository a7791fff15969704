// An RTC probe on virtual time, and everything it said.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "probes/rtc.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_rtc.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::probes::test {

using namespace std::chrono_literals;
using core::magnitude;
using core::nanoseconds;

/// Timers late by up to `latest`, as on a busy machine; counts wake-ups.
class LateScheduler final : public core::Scheduler {
 public:
  explicit LateScheduler(core::Scheduler& inner, unsigned seed = 1) : inner_(inner), random_(seed) {}
  [[nodiscard]] core::MonotonicPoint now() override { return inner_.now(); }
  [[nodiscard]] core::TimerHandle at(core::MonotonicPoint when, std::function<void()> call) override {
    std::uniform_int_distribution<long> late(0, latest.count());
    return inner_.at(when + nanoseconds{late(random_)}, [this, call = std::move(call)] {
      ++wakeups;
      call();
    });
  }
  nanoseconds latest{100us};
  unsigned wakeups = 0;

 private:
  core::Scheduler& inner_;
  std::mt19937 random_;
};

struct RtcRig {
  explicit RtcRig(nanoseconds phase = -670ms, unsigned seed = 1)
      : rtc(clock, phase), scheduler(clock), late(scheduler, seed), probe(rtc, late, clock) {}

  void start() {
    probe.start([this](core::Observation o) { heard(std::move(o)); });
  }
  /// Started, the edge found, some seconds watched.
  void settle(nanoseconds how_long = 30s) {
    start();
    scheduler.run_for(how_long);
    clear();
  }
  void heard(core::Observation o) {
    if (const auto* r = std::get_if<core::OffsetReading>(&o)) {
      readings.push_back(*r);
      errors.push_back(r->offset.value - rtc.offset());
    } else if (const auto* v = std::get_if<core::BaselineVoid>(&o)) {
      voids.push_back(v->why);
    } else if (const auto* f = std::get_if<core::MeasurementFailed>(&o)) {
      failures.push_back(f->why);
    }
    if (also) also();
  }
  void clear() {
    readings.clear();
    errors.clear();
    voids.clear();
    failures.clear();
  }
  [[nodiscard]] bool heard_fine() const { return !readings.empty() && readings.back().uncertainty < 50ms; }
  [[nodiscard]] bool run_until_fine(nanoseconds limit) {
    return scheduler.run_while_not([this] { return heard_fine(); }, limit);
  }
  [[nodiscard]] std::size_t coarse() const {
    std::size_t n = 0;
    for (const auto& r : readings) n += r.uncertainty > 400ms ? 1 : 0;
    return n;
  }

  fakes::FakeClock clock;
  fakes::FakeRtc rtc;
  fakes::FakeScheduler scheduler;
  LateScheduler late;
  RtcProbe probe;
  std::vector<core::OffsetReading> readings;
  std::vector<nanoseconds> errors;  // of each reading, against the RTC's real phase at that moment
  std::vector<std::string> voids;
  std::vector<std::string> failures;
  std::function<void()> also;  // called after each observation
};

[[nodiscard]] inline double ms(nanoseconds d) { return static_cast<double>(d.count()) / 1e6; }

}  // namespace clockmend::probes::test
