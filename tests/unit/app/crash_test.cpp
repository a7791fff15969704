// The agent dies at every single thing a correction does to the machine; a second life finds what the first one left.
#include <gtest/gtest.h>

#include <memory>
#include <numeric>

#include "agent/app/executor.hpp"
#include "agent/app/interrupted_report.hpp"
#include "agent/wire/report.hpp"
#include "tests/fakes/fake_commands.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fakes/fake_rtc.hpp"
#include "tests/fakes/fake_scheduler.hpp"
#include "tests/fakes/fake_services.hpp"

namespace clockmend::app {
namespace {

using namespace std::chrono_literals;

constexpr const char* kUnit = "ntpsec.service";
constexpr const char* kJournal = "/run/clockmend/journal";
constexpr const char* kHistory = "/var/lib/clockmend/history.jsonl";
constexpr core::nanoseconds kGap = 400ms;

struct Killed {};

/// Counts what the agent does; at the chosen one it dies, before or after doing it.
struct Reaper {
  unsigned at = 0;  // 0: never
  unsigned seen = 0;
  void pass() {
    if (++seen == at) throw Killed{};
  }
};

class CrashDisk final : public core::FileWriter {
 public:
  CrashDisk(fakes::FakeFiles& tree, Reaper& reaper) : tree_(tree), reaper_(reaper) {}
  core::Status replace(const std::string& path, const std::string& content, bool) override {
    reaper_.pass();
    if (full || no_new_file) return core::Error{core::ErrorCode::io, path + ": No space left on device"};
    tree_.files[path] = content;
    return core::success();
  }
  core::Status append(const std::string& path, const std::string& line, bool) override {
    reaper_.pass();
    if (full || (no_new_file && !tree_.files.contains(path))) return core::Error{core::ErrorCode::io, path + ": No space left on device"};
    tree_.files[path] += line + "\n";
    return core::success();
  }
  core::Status remove(const std::string& path) override {
    tree_.files.erase(path);
    return core::success();
  }
  bool full = false;
  bool no_new_file = false;  // a tmpfs without a free page

 private:
  fakes::FakeFiles& tree_;
  Reaper& reaper_;
};

class Adjuster final : public core::ClockAdjuster {
 public:
  Adjuster(fakes::FakeClock& clock, Reaper& reaper) : clock_(clock), reaper_(reaper) {}
  core::Result<core::ClockSnapshot> step(core::Offset offset) override {
    reaper_.pass();
    clock_.step(offset.value);
    steps.push_back(offset.value);
    reaper_.pass();
    return clock_.snapshot();
  }
  core::Status slew(core::Offset) override { return core::success(); }
  core::Status permitted() override { return core::success(); }
  std::vector<core::nanoseconds> steps;

 private:
  fakes::FakeClock& clock_;
  Reaper& reaper_;
};

struct Machine {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeServices services{scheduler};
  fakes::FakeFiles files;
  fakes::FakeRtc rtc{clock};
  Reaper reaper;
  CrashDisk disk{files, reaper};
  Adjuster adjuster{clock, reaper};
  core::Policy policy;
};

/// The agent from its start to its death.
struct Life {
  explicit Life(Machine& m) : machine(m) { history.load(); }
  Machine& machine;
  correctors::ClockStepper stepper{machine.adjuster, machine.clock};
  correctors::TimeDaemons daemons{machine.services, machine.scheduler, {}};
  correctors::RtcWriter rtc{machine.rtc, machine.clock, machine.scheduler};
  JournalFile journal{machine.files, machine.disk, machine.clock, kJournal, "boot-1"};
  History history{machine.files, machine.disk, kHistory, 100};
  Executor executor{{stepper, daemons, rtc, true}, journal, machine.scheduler, machine.policy, {}};

  void step(core::nanoseconds by) {
    ASSERT_TRUE(executor.apply(history.next_number(), {core::Offset{by}, core::ActionKind::step, false}));
    total += by;
  }
  /// What the engine orders, in its order; `stop_first`: without a local witness.
  void correct(bool stop_first) {
    if (!stop_first) step(kGap);
    bool over = false;
    executor.stop_daemons(history.next_number(), [](const engine::DaemonOutcome&) {});
    machine.scheduler.run_for(1s);
    step(stop_first ? kGap : core::nanoseconds{2ms});  // the second one is the trim
    executor.start_daemons([&](const engine::DaemonOutcome&) { over = true; });
    executor.write_rtc({}, [](const engine::RtcOutcome&) {});
    machine.scheduler.run_while_not([&] { return over; }, 20s);
    machine.scheduler.run_for(3s);
    publish();
  }
  void publish() {
    core::CorrectionReport report;
    report.number = history.next_number();
    report.outcome = core::Outcome::corrected;
    report.total.value = total;
    ASSERT_TRUE(history.add(report));
    executor.finished();
  }
  void recover() {
    interrupted = record_interrupted(journal, history, machine.clock);
    executor.recover([](const engine::DaemonOutcome&) {});
    machine.scheduler.run_for(5s);
  }
  core::nanoseconds total{};
  std::optional<core::CorrectionReport> interrupted;
};

core::nanoseconds told(Machine& machine) {
  History history{machine.files, machine.disk, kHistory, 100};
  core::nanoseconds sum{};
  for (const std::string& line : history.newest(100, std::nullopt)) sum += wire::parse_report(line)->total.value;
  return sum;
}

/// Plays a correction that ends at the `at`-th thing it does; tells whether it got that far.
bool killed(Machine& machine, unsigned at, bool stop_first) {
  machine.services.add(kUnit, true);
  machine.reaper.at = at;
  try {
    Life{machine}.correct(stop_first);
  } catch (const Killed&) {
    machine.reaper.at = 0;
    return true;
  }
  return false;
}

class EveryPointTest : public testing::TestWithParam<bool> {};

TEST_P(EveryPointTest, AtEveryPointTheDaemonRunsAgainAndTheHistoryTellsEveryStep) {
  unsigned points = 0;
  for (unsigned at = 1;; ++at) {
    Machine machine;
    if (!killed(machine, at, GetParam())) break;
    ++points;
    machine.scheduler.run_for(300ms);
    const std::size_t steps = machine.adjuster.steps.size();
    {
      Life second{machine};
      second.recover();
    }
    EXPECT_TRUE(machine.services.unit(kUnit).state.running()) << "killed at " << at;
    EXPECT_EQ(machine.adjuster.steps.size(), steps) << "a step was replayed, killed at " << at;
    const core::nanoseconds made = std::accumulate(machine.adjuster.steps.begin(), machine.adjuster.steps.end(), core::nanoseconds{});
    EXPECT_EQ(told(machine), made) << "killed at " << at;
    Life third{machine};
    third.recover();
    EXPECT_FALSE(third.interrupted) << "told twice, killed at " << at;
  }
  EXPECT_GE(points, 10U);
}

INSTANTIATE_TEST_SUITE_P(Sequences, EveryPointTest, testing::Bool(),
                         [](const auto& row) { return std::string(row.param ? "StopFirst" : "RestoreFirst"); });

TEST(CrashTest, AStepMadeButNotRecordedIsToldByTheClock) {
  Machine machine;
  ASSERT_TRUE(killed(machine, 3, false));  // announced, about to step, stepped
  ASSERT_EQ(machine.adjuster.steps.size(), 1U);
  Life second{machine};
  second.recover();
  ASSERT_TRUE(second.interrupted);
  EXPECT_EQ(second.interrupted->outcome, core::Outcome::failed);
  EXPECT_EQ(second.interrupted->total.value, kGap);
  EXPECT_FALSE(second.interrupted->discontinuity.foreign_step);
}

TEST(CrashTest, AStepAnnouncedButNotMadeIsNotTold) {
  Machine machine;
  ASSERT_TRUE(killed(machine, 2, false));
  ASSERT_TRUE(machine.adjuster.steps.empty());
  Life second{machine};
  second.recover();
  ASSERT_TRUE(second.interrupted);
  EXPECT_EQ(second.interrupted->total.value, 0ns);
}

TEST(CrashTest, WhatSomebodyElseSetMeanwhileIsNotOurs) {
  Machine machine;
  ASSERT_TRUE(killed(machine, 2, false));
  machine.clock.step(7s);
  Life second{machine};
  second.recover();
  ASSERT_TRUE(second.interrupted);
  EXPECT_EQ(second.interrupted->total.value, 0ns);
  EXPECT_EQ(second.interrupted->discontinuity.foreign_step, 7s);
}

// A program steps by what it measured: killed beside it, what the clock was set by since is told as ours.
TEST(CrashTest, AStepThatAProgramMadeIsToldByTheClock) {
  for (const bool seen : {false, true}) {
    Machine machine;
    fakes::FakeCommands commands{machine.scheduler};
    commands.takes = 3s;
    correctors::StepTool tool{commands, machine.clock, 20s};
    tool.ask_servers([] { return correctors::StepServers{{"192.0.2.1"}, 123}; });
    {
      Life first{machine};
      Executor executor{{first.stepper, first.daemons, first.rtc, true, &tool}, first.journal, machine.scheduler, machine.policy, {}};
      executor.run_step_tool(1, {core::StepBackend::ntpdate, core::Offset{kGap}}, [](const engine::StepToolOutcome&) {});
      machine.scheduler.run_for(1s);
      EXPECT_FALSE(executor.tool_stepped(machine.clock.snapshot()));
      machine.clock.step(kGap + 1234us);
      if (seen) {
        EXPECT_EQ(executor.tool_stepped(machine.clock.snapshot())->value, kGap + 1234us);
      }
    }
    Life second{machine};
    second.recover();
    ASSERT_TRUE(second.interrupted) << machine.files.files[kJournal];
    EXPECT_EQ(second.interrupted->total.value, kGap + 1234us);
    EXPECT_FALSE(second.interrupted->discontinuity.foreign_step);
  }
}

TEST(CrashTest, ADaemonThatDiedRightAfterItsStartIsStillInTheJournal) {
  Machine machine;
  machine.services.add(kUnit, true).dies_after = 100ms;
  {
    Life first{machine};
    first.correct(false);
    machine.scheduler.run_for(1s);
    EXPECT_FALSE(first.journal.left_behind().empty()) << machine.files.files[kJournal];
  }
  machine.services.unit(kUnit).dies_after.reset();
  Life second{machine};
  second.recover();
  EXPECT_FALSE(second.interrupted) << "that correction is on record";
  EXPECT_TRUE(machine.services.unit(kUnit).state.running());
}

TEST(CrashTest, AnotherBootsJournalMeansNothing) {
  Machine machine;
  ASSERT_TRUE(killed(machine, 5, false));
  JournalFile journal{machine.files, machine.disk, machine.clock, kJournal, "boot-2"};
  EXPECT_FALSE(journal.interrupted());
  EXPECT_TRUE(journal.left_behind().empty());
}

TEST(CrashTest, AJournalOfAnOlderAgentStillBringsTheDaemonBack) {
  Machine machine;
  machine.services.add(kUnit, false);
  machine.files.files[kJournal] =
      R"({"state":"intent","correction":1,"units":[{"unit":"ntpsec.service","invocation_id":"run1"}],"offset_ns":null,"boot_id":"boot-1"})"
      "\n";
  Life second{machine};
  second.recover();
  ASSERT_TRUE(second.interrupted);
  EXPECT_EQ(second.interrupted->total.value, 0ns);
  EXPECT_TRUE(machine.services.unit(kUnit).state.running());
}

TEST(CrashTest, WhatADamagedJournalSaysOfStepsIsBounded) {
  Machine machine;
  for (const char* state : {"intent", "stepped", "stepped", "stepped"})
    machine.files.files[kJournal] += std::string(R"({"state":")") + state +
                                     R"(","correction":9,"units":[],"offset_ns":9223372036854775807,"boot_id":"boot-1",)" +
                                     R"("realtime_minus_monotonic_ns":-9223372036854775808})" + "\n";
  Life second{machine};
  second.recover();
  ASSERT_TRUE(second.interrupted);
  EXPECT_EQ(second.interrupted->total.value, 0ns);
}

TEST(CrashTest, AFullDiskDoesNotStopACorrection) {
  Machine machine;
  machine.services.add(kUnit, true);
  machine.disk.full = true;
  Life life{machine};
  life.step(kGap);
  bool over = false;
  life.executor.stop_daemons(1, [](const engine::DaemonOutcome&) {});
  life.executor.start_daemons([&](const engine::DaemonOutcome& outcome) { over = outcome.ok; });
  machine.scheduler.run_for(5s);
  life.executor.finished();
  EXPECT_TRUE(over);
  EXPECT_TRUE(machine.services.unit(kUnit).state.running());
}

TEST(CrashTest, WithoutRoomForAnotherFileTheJournalStillSavesTheDaemon) {
  for (const bool stop_first : {false, true}) {
    Machine machine;
    machine.services.add(kUnit, true);
    {
      Life earlier{machine};
      earlier.recover();  // an agent's start makes the file
    }
    machine.disk.no_new_file = true;
    {
      Life first{machine};
      if (!stop_first) first.step(kGap);
      first.executor.stop_daemons(1, [](const engine::DaemonOutcome&) {});
      machine.scheduler.run_for(1s);
      ASSERT_FALSE(machine.services.unit(kUnit).state.running());
    }
    Life second{machine};
    second.recover();
    EXPECT_TRUE(second.interrupted);
    EXPECT_TRUE(machine.services.unit(kUnit).state.running());
  }
}

}  // namespace
}  // namespace clockmend::app
