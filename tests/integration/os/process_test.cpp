// Signals and the watch for clock changes, as far as they can be tried without changing the clock.
#include <gtest/gtest.h>
#include <signal.h>

#include <vector>

#include "agent/os/clock_set_timerfd.hpp"
#include "agent/os/signals.hpp"
#include "tests/fakes/real_loop.hpp"

namespace clockmend::os {
namespace {

TEST(SignalWatch, TellsReloadFromTerminate) {
  asio::io_context io;
  std::vector<ProcessSignal> got;
  {
    const SignalWatch watch{io, [&](ProcessSignal s) { got.push_back(s); }};
    ::raise(SIGHUP);
    ASSERT_TRUE(fakes::run_until(io, [&] { return got.size() == 1; }));
    ::raise(SIGTERM);
    ASSERT_TRUE(fakes::run_until(io, [&] { return got.size() == 2; }));
    ::raise(SIGHUP);
    ASSERT_TRUE(fakes::run_until(io, [&] { return got.size() == 3; })) << "armed again after each";
    ::raise(SIGPIPE);  // ignored, else this test ends here
  }
  fakes::run_for(io, std::chrono::milliseconds{10});
  EXPECT_EQ(got, (std::vector{ProcessSignal::reload, ProcessSignal::terminate, ProcessSignal::reload}));
}

TEST(ClockSetTimerfd, StartsAndStaysQuietWhileNobodySetsTheClock) {
  asio::io_context io;
  int calls = 0;
  ClockSetTimerfd watch{io};
  const auto started = watch.start([&] { ++calls; });
  ASSERT_TRUE(started.ok()) << started.error().text;
  io.restart();
  EXPECT_EQ(io.run_for(std::chrono::milliseconds{100}), 0U) << "no wake-up while nothing happens";
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace clockmend::os
