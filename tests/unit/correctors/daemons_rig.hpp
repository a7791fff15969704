// TimeDaemons over a fake systemd, with the answers collected.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "correctors/time_daemon/time_daemons.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_commands.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fakes/fake_scheduler.hpp"
#include "tests/fakes/fake_services.hpp"

namespace clockmend::correctors::test {

using namespace std::chrono_literals;

struct DaemonsRig {
  explicit DaemonsRig(core::DaemonSettings settings = {}) : daemons(services, scheduler, std::move(settings), {&files, &commands}) {}

  /// Debian 12 with ntpsec: ntp and ntpd are its aliases; timesyncd is installed and inactive.
  void debian_ntpsec() {
    services.add("ntpsec.service", true).conflicts = {"systemd-timesyncd.service"};
    services.alias("ntp.service", "ntpsec.service");
    services.alias("ntpd.service", "ntpsec.service");
    services.add("systemd-timesyncd.service", false);
  }
  core::Result<TimeDaemons::Units> refresh() {
    std::optional<core::Result<TimeDaemons::Units>> answer;
    daemons.refresh([&](core::Result<TimeDaemons::Units> units) { answer = std::move(units); });
    scheduler.run_for(3s);
    return answer ? *answer : core::Result<TimeDaemons::Units>(core::Error{core::ErrorCode::timeout, "never answered"});
  }
  std::vector<UnitOutcome> stop(const TimeDaemons::Units& units, core::nanoseconds patience = 12s) {
    std::optional<std::vector<UnitOutcome>> answer;
    const auto begun = scheduler.now();
    daemons.stop(units, [&](std::vector<UnitOutcome> o) {
      answer = std::move(o);
      took = scheduler.now() - begun;
    });
    scheduler.run_while_not([&] { return answer.has_value(); }, patience);
    return answer.value_or(std::vector<UnitOutcome>{});
  }
  std::vector<UnitOutcome> start(const TimeDaemons::Units& units) {
    std::optional<std::vector<UnitOutcome>> answer;
    confirmed.reset();
    const auto begun = scheduler.now();
    daemons.start(
        units,
        [&](std::vector<UnitOutcome> o) {
          answer = std::move(o);
          took = scheduler.now() - begun;
        },
        [this](std::vector<UnitOutcome> o) { confirmed = std::move(o); });
    scheduler.run_while_not([&] { return answer.has_value(); }, 13s);
    return answer.value_or(std::vector<UnitOutcome>{});
  }

  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeServices services{scheduler};
  fakes::FakeCommands commands{scheduler};
  fakes::FakeFiles files;
  TimeDaemons daemons;
  core::nanoseconds took{};
  std::optional<std::vector<UnitOutcome>> confirmed;
};

}  // namespace clockmend::correctors::test
