// A vmclock probe on virtual time, and everything it said.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "probes/vmclock.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_scheduler.hpp"
#include "tests/fakes/fake_vmclock.hpp"

namespace clockmend::probes::test {

using namespace std::chrono_literals;

struct VmclockRig {
  VmclockRig() : device(clock), scheduler(clock), probe(device, scheduler, 250ms) {}

  void start() {
    probe.start([this](core::Observation o) { heard(std::move(o)); });
  }
  /// Started, and what the first look said is forgotten.
  void settle() {
    start();
    scheduler.run_for(1s);
    clear();
  }
  void heard(core::Observation o) {
    if (const auto* r = std::get_if<core::OffsetReading>(&o)) readings.push_back(*r);
    if (const auto* d = std::get_if<core::Disruption>(&o)) disruptions.push_back(*d);
    if (const auto* e = std::get_if<core::DisruptionExpected>(&o)) expected.push_back(e->why);
    if (const auto* v = std::get_if<core::BaselineVoid>(&o)) voids.push_back(v->why);
    if (const auto* f = std::get_if<core::MeasurementFailed>(&o)) failures.push_back(f->why);
    if (also) also(o);
  }
  void clear() {
    readings.clear();
    disruptions.clear();
    expected.clear();
    voids.clear();
    failures.clear();
  }
  [[nodiscard]] std::string why() const { return probe.health().why; }

  fakes::FakeClock clock;
  fakes::FakeVmclock device;
  fakes::FakeScheduler scheduler;
  VmclockProbe probe;
  std::vector<core::OffsetReading> readings;
  std::vector<core::Disruption> disruptions;
  std::vector<std::string> expected;
  std::vector<std::string> voids;
  std::vector<std::string> failures;
  std::function<void(const core::Observation&)> also;
};

}  // namespace clockmend::probes::test
