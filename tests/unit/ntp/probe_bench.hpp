// The whole NTP witness in virtual time.
#pragma once

#include <gtest/gtest.h>

#include "probes/ntp/ntp_probe.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fakes/fake_network.hpp"
#include "tests/fakes/fake_random.hpp"
#include "tests/fakes/fake_resolver.hpp"

namespace clockmend::probes {

struct ProbeBench : testing::Test {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeNetwork network{clock, scheduler};
  fakes::FakeResolver resolver{scheduler};
  fakes::FakeRandom random;
  fakes::FakeFiles files;
  core::NtpSettings settings;
  core::RealtimePoint floor{core::seconds{1704067200}};  // 2024-01-01
  std::unique_ptr<NtpProbe> probe;
  std::vector<core::OffsetReading> readings;
  std::vector<core::MeasurementFailed> failures;
  std::function<void()> on_observation;  // what the engine does inside the sink

  void start() {
    probe = std::make_unique<NtpProbe>(NtpPorts{network, resolver, scheduler, random, files}, settings, floor);
    probe->start([this](core::Observation o) {
      if (auto* reading = std::get_if<core::OffsetReading>(&o)) readings.push_back(*reading);
      if (auto* failure = std::get_if<core::MeasurementFailed>(&o)) failures.push_back(*failure);
      if (on_observation) on_observation();
    });
  }
  void start_with(std::vector<std::string> servers) {
    settings.servers = std::move(servers);
    start();
  }
  fakes::NtpServerScript& server(int n) { return network.server("192.0.2." + std::to_string(n)); }
  /// Asks now and runs until an answer, good or bad, is there; how long it took.
  core::nanoseconds measure() {
    const auto began = scheduler.now();
    const auto before = readings.size() + failures.size();
    probe->measure_now();
    EXPECT_TRUE(scheduler.run_while_not([&] { return readings.size() + failures.size() > before; }, core::seconds{20}));
    return scheduler.now() - began;
  }
  void step(core::nanoseconds amount) {
    clock.step(amount);
    probe->own_change({core::OwnChange::What::step, {amount}, clock.snapshot()});
  }
};

}  // namespace clockmend::probes
