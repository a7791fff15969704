// A bus, a fake systemd on it, and the code under test connected to both.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "agent/os/systemd_services.hpp"
#include "tests/fakes/fake_systemd.hpp"
#include "tests/fakes/private_bus.hpp"
#include "tests/fakes/real_loop.hpp"

namespace clockmend::os {

struct SystemdFixture : testing::Test {
  using Answer = core::Result<core::UnitState>;

  asio::io_context io;
  fakes::PrivateBus bus;
  std::unique_ptr<fakes::FakeSystemd> systemd;
  std::unique_ptr<SystemdServices> services;
  std::optional<Answer> answer;
  int answers = 0;

  void SetUp() override {
    ASSERT_TRUE(bus.running()) << "dbus-daemon (package dbus-daemon) is needed";
    systemd = std::make_unique<fakes::FakeSystemd>(io, bus.address());
    systemd->units["ntpsec.service"] = {.id = "ntpsec.service"};
    systemd->aliases["ntp.service"] = "ntpsec.service";
    services = std::make_unique<SystemdServices>(io, SystemdPlace{bus.address(), "", core::seconds{10}});
  }
  core::ServiceManager::Reply reply() {
    return [this](Answer a) {
      answer = std::move(a);
      ++answers;
    };
  }
  bool until_answered() {
    return fakes::run_until(io, [this] { return answer.has_value(); });
  }
  /// Nothing more must come after the one answer.
  void expect_one_answer() {
    fakes::run_for(io, core::milliseconds{30});
    EXPECT_EQ(answers, 1);
  }
};

}  // namespace clockmend::os
