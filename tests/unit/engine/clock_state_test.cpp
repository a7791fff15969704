#include <gtest/gtest.h>

#include "agent/engine/clock_state_machine.hpp"

namespace clockmend::engine {
namespace {

using core::ClockState;
using S = ClockState;
using E = StateEvent;

constexpr S kStates[] = {S::starting, S::synchronized, S::suspect, S::correcting, S::verifying, S::degraded, S::refused};

struct Row {
  E event;
  S to[7];  // from each state, in the order of kStates
};

// The whole machine: a changed entry is a changed promise to applications.
constexpr Row kTable[] = {
    {E::verified, {S::synchronized, S::synchronized, S::suspect, S::correcting, S::verifying, S::synchronized, S::synchronized}},
    {E::unverified, {S::degraded, S::synchronized, S::suspect, S::correcting, S::verifying, S::degraded, S::refused}},
    {E::disturbed, {S::suspect, S::suspect, S::suspect, S::correcting, S::verifying, S::suspect, S::suspect}},
    {E::correcting, {S::correcting, S::correcting, S::correcting, S::correcting, S::verifying, S::correcting, S::correcting}},
    {E::stepped, {S::verifying, S::verifying, S::verifying, S::verifying, S::verifying, S::verifying, S::verifying}},
    {E::finished_ok,
     {S::synchronized, S::synchronized, S::synchronized, S::synchronized, S::synchronized, S::synchronized, S::synchronized}},
    {E::finished_weak, {S::degraded, S::degraded, S::degraded, S::degraded, S::degraded, S::degraded, S::degraded}},
    {E::refused, {S::refused, S::refused, S::refused, S::refused, S::refused, S::refused, S::refused}},
};

TEST(ClockStateTest, EveryEventInEveryState) {
  for (const Row& row : kTable)
    for (std::size_t i = 0; i < std::size(kStates); ++i)
      EXPECT_EQ(next(kStates[i], row.event), row.to[i]) << "event " << static_cast<int>(row.event) << " in " << core::to_string(kStates[i]);
}

TEST(ClockStateTest, ValidSinceCoversOnlyTheSynchronizedTime) {
  ClockStateMachine m;
  const core::RealtimePoint t1{core::seconds{100}};
  const core::RealtimePoint t2{core::seconds{200}};
  EXPECT_FALSE(m.valid_since());
  m.on(E::verified, "first", t1);
  EXPECT_EQ(m.valid_since(), t1);
  m.on(E::verified, "again", t2);
  EXPECT_EQ(m.valid_since(), t1) << "it has been valid all along";
  EXPECT_EQ(m.reason(), "again");
  m.on(E::disturbed, "tripwire", t2);
  EXPECT_FALSE(m.valid_since());
  m.on(E::finished_ok, "done", t2);
  EXPECT_EQ(m.valid_since(), t2);
}

TEST(ClockStateTest, ReasonOfTheStateStaysWhenNothingChanges) {
  ClockStateMachine m;
  m.on(E::refused, "a guard", {});
  m.on(E::unverified, "no server", {});
  EXPECT_EQ(m.state(), S::refused);
  EXPECT_EQ(m.reason(), "a guard");
  m.on(E::stepped, "stepped", {});
  m.on(E::correcting, "late word", {});
  EXPECT_EQ(m.reason(), "stepped");
}

}  // namespace
}  // namespace clockmend::engine
