#include "agent/os/scheduler.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/fakes/real_loop.hpp"

namespace clockmend::os {
namespace {

using core::milliseconds;

TEST(AsioScheduler, CallsInOrderOfTime) {
  asio::io_context io;
  AsioScheduler scheduler{io};
  std::vector<int> calls;
  const auto start = scheduler.now();
  const auto late = scheduler.at(start + milliseconds{20}, [&] { calls.push_back(2); });
  const auto early = scheduler.at(start + milliseconds{5}, [&] { calls.push_back(1); });
  EXPECT_TRUE(fakes::run_until(io, [&] { return calls.size() == 2; }));
  EXPECT_EQ(calls, (std::vector<int>{1, 2}));
  EXPECT_GE(scheduler.now(), start + milliseconds{20});
}

TEST(AsioScheduler, ATimeInThePastIsDueAtOnceButNotInsideTheCall) {
  asio::io_context io;
  AsioScheduler scheduler{io};
  bool called = false;
  const auto timer = scheduler.at(scheduler.now() - core::seconds{5}, [&] { called = true; });
  EXPECT_FALSE(called);
  EXPECT_TRUE(fakes::run_until(io, [&] { return called; }));
}

TEST(AsioScheduler, DestroyingTheHandleCancelsEvenADueCall) {
  asio::io_context io;
  AsioScheduler scheduler{io};
  int calls = 0;
  core::TimerHandle second;
  // Both are due in the same turn of the loop; the first takes the second with it.
  const auto first = scheduler.at(scheduler.now(), [&] {
    ++calls;
    second.reset();
  });
  second = scheduler.at(scheduler.now(), [&] { ++calls; });
  fakes::run_for(io, milliseconds{50});
  EXPECT_EQ(calls, 1);
}

TEST(AsioScheduler, ACallMayDestroyItsOwnHandle) {
  asio::io_context io;
  AsioScheduler scheduler{io};
  core::TimerHandle timer;
  std::vector<int> payload(1000, 7);
  int seen = 0;
  timer = scheduler.after(milliseconds{1}, [&timer, &seen, payload] {
    timer.reset();
    seen = payload.back();  // the function must live until it returns
  });
  EXPECT_TRUE(fakes::run_until(io, [&] { return seen == 7; }));
  EXPECT_EQ(timer, nullptr);
}

}  // namespace
}  // namespace clockmend::os
