// A PTP probe on virtual time, and everything it said.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "probes/ptp.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_phc.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::probes::test {

using namespace std::chrono_literals;
using core::magnitude;
using core::nanoseconds;

/// Counts wake-ups.
class CountingScheduler final : public core::Scheduler {
 public:
  explicit CountingScheduler(core::Scheduler& inner) : inner_(inner) {}
  [[nodiscard]] core::MonotonicPoint now() override { return inner_.now(); }
  [[nodiscard]] core::TimerHandle at(core::MonotonicPoint when, std::function<void()> call) override {
    return inner_.at(when, [this, call = std::move(call)] {
      ++wakeups;
      call();
    });
  }
  unsigned wakeups = 0;

 private:
  core::Scheduler& inner_;
};

struct PtpRig {
  explicit PtpRig(core::PtpSettings settings = {}, nanoseconds poll = 250ms)
      : catalogue(clock), scheduler(clock), counting(scheduler), probe(catalogue, counting, clock, std::move(settings), poll) {
    clock.status.unsynchronized = false;
  }

  fakes::FakePhcDevice& kvm() { return catalogue.add("/dev/ptp0", "KVM virtual PTP"); }
  void start() {
    probe.start([this](core::Observation o) { heard(std::move(o)); });
  }
  /// Started, the rate learned, some time watched, what was said forgotten.
  void settle(nanoseconds how_long = 5s) {
    start();
    scheduler.run_for(how_long);
    clear();
  }
  void heard(core::Observation o) {
    if (const auto* r = std::get_if<core::OffsetReading>(&o))
      readings.push_back(*r);
    else if (const auto* v = std::get_if<core::BaselineVoid>(&o))
      voids.push_back(v->why);
    else if (const auto* f = std::get_if<core::MeasurementFailed>(&o))
      failures.push_back(f->why);
    else if (const auto* d = std::get_if<core::Disruption>(&o))
      disruptions.push_back(*d);
    if (also) also();
  }
  void clear() {
    readings.clear();
    voids.clear();
    failures.clear();
    disruptions.clear();
  }
  [[nodiscard]] bool silent() const { return readings.empty() && voids.empty() && failures.empty() && disruptions.empty(); }
  [[nodiscard]] core::ProbeState state() const { return probe.health().state; }
  [[nodiscard]] bool why_says(const std::string& words) const { return probe.health().why.find(words) != std::string::npos; }

  fakes::FakeClock clock;
  fakes::FakePhcCatalogue catalogue;
  fakes::FakeScheduler scheduler;
  CountingScheduler counting;
  PtpProbe probe;
  std::vector<core::OffsetReading> readings;
  std::vector<std::string> voids;
  std::vector<std::string> failures;
  std::vector<core::Disruption> disruptions;
  std::function<void()> also;  // called after each observation
};

}  // namespace clockmend::probes::test
