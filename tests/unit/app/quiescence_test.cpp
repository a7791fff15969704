// The time daemon is stopped for a pause, and started again whatever happens.
#include "agent/app/quiescence.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fakes/fake_dead_man.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fakes/fake_rtc.hpp"
#include "tests/fakes/fake_services.hpp"

namespace clockmend::app {
namespace {

using namespace std::chrono_literals;

constexpr const char* kPausedUnit = "chrony.service";  // by default it runs on and is told: for a pause it is stopped all the same
constexpr const char* kPauseJournal = "/run/clockmend/journal";

class PauseDisk final : public core::FileWriter {
 public:
  explicit PauseDisk(fakes::FakeFiles& files) : files_(files) {}
  core::Status replace(const std::string& path, const std::string& content, bool) override {
    files_.files[path] = content;
    return core::success();
  }
  core::Status append(const std::string& path, const std::string& line, bool) override {
    files_.files[path] += line + "\n";
    return core::success();
  }
  core::Status remove(const std::string& path) override {
    files_.files.erase(path);
    return core::success();
  }

 private:
  fakes::FakeFiles& files_;
};

class NoSteps final : public core::ClockAdjuster {
 public:
  core::Result<core::ClockSnapshot> step(core::Offset) override { return core::Error{core::ErrorCode::unsupported, "a test"}; }
  core::Status slew(core::Offset) override { return core::success(); }
  core::Status permitted() override { return core::success(); }
};

struct QuiescenceTest : testing::Test {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeServices services{scheduler};
  fakes::FakeDeadMan dead_man{scheduler};
  fakes::FakeFiles files;
  PauseDisk tree{files};
  fakes::FakeRtc rtc{clock};
  NoSteps adjuster;
  core::Policy policy;
  correctors::ClockStepper stepper{adjuster, clock};
  correctors::TimeDaemons daemons{services, scheduler, {}};
  correctors::RtcWriter rtc_writer{rtc, clock, scheduler};
  JournalFile journal{files, tree, clock, kPauseJournal, "boot-1"};
  engine::Engine engine_{policy, {clock.snapshot(), clock.status}, 1};
  Executor executor{{stepper, daemons, rtc_writer, true}, journal, scheduler, policy, {}};
  std::vector<std::string> notes;
  Quiescence quiescence{
      engine_, executor, dead_man, scheduler, {"/usr/sbin/clockmendd", "--recover"}, [this](const std::string& n) { notes.push_back(n); }};
  std::optional<std::string> answer;

  void SetUp() override {
    services.add(kPausedUnit, true);
    quiescence.configure(true);
  }
  void pausing() {
    answer.reset();
    quiescence.begin([this](const std::string& words) { answer = words; });
    scheduler.run_for(2s);
  }
  [[nodiscard]] bool running() { return services.unit(kPausedUnit).state.running(); }
  [[nodiscard]] bool journal_open() {
    JournalFile later{files, tree, clock, kPauseJournal, "boot-1"};
    return later.interrupted().has_value();
  }
};

TEST_F(QuiescenceTest, TheTimerIsArmedBeforeTheDaemonIsStopped) {
  std::vector<std::string> at_stop;
  dead_man.takes = 500ms;
  quiescence.begin([](const std::string&) {});
  scheduler.run_for(400ms);
  EXPECT_EQ(dead_man.armed, 1);
  EXPECT_TRUE(services.log.empty()) << "not before systemd has the timer";
  scheduler.run_for(2s);
  EXPECT_FALSE(running());
  EXPECT_TRUE(dead_man.waiting());
  EXPECT_EQ(dead_man.command.front(), "/usr/sbin/clockmendd");
  EXPECT_TRUE(journal_open()) << "what --recover would bring back";
  EXPECT_EQ(journal.left_behind().at(0).unit, kPausedUnit);
}

TEST_F(QuiescenceTest, TheEndOfACorrectionStartsIt) {
  pausing();
  ASSERT_FALSE(running());
  EXPECT_TRUE(quiescence.active());
  EXPECT_NE(answer->find("down until the VM runs on"), std::string::npos) << *answer;
  clock.pause(40s);
  quiescence.published();
  scheduler.run_for(5s);
  EXPECT_TRUE(running());
  EXPECT_FALSE(dead_man.waiting());
  EXPECT_FALSE(quiescence.active());
  EXPECT_FALSE(journal_open());
}

TEST_F(QuiescenceTest, ACorrectionThatStartsItItself) {
  pausing();
  executor.stop_daemons(1, [](const engine::DaemonOutcome&) {});
  scheduler.run_for(1s);
  executor.start_daemons([](const engine::DaemonOutcome&) {});
  scheduler.run_for(2s);
  quiescence.published();
  executor.finished();
  scheduler.run_for(5s);
  EXPECT_TRUE(running());
  EXPECT_EQ(std::ranges::count(services.log, std::string("start ") + kPausedUnit), 1);
  EXPECT_FALSE(dead_man.waiting());
  EXPECT_FALSE(journal_open());
}

TEST_F(QuiescenceTest, WithoutAWordItIsStartedAfterAMinuteOfItsOwnTime) {
  pausing();
  clock.pause(1h);  // frozen time does not count
  scheduler.run_for(50s);
  EXPECT_FALSE(running());
  scheduler.run_for(15s);
  EXPECT_TRUE(running());
  EXPECT_FALSE(dead_man.waiting());
  EXPECT_EQ(dead_man.fired, 0);
  EXPECT_TRUE(std::ranges::any_of(notes, [](const std::string& n) { return n.find("no word within 60 s") != std::string::npos; }));
}

TEST_F(QuiescenceTest, AnotherPausingBeginsTheMinuteAnew) {
  pausing();
  scheduler.run_for(50s);
  pausing();
  EXPECT_NE(answer->find("was down already"), std::string::npos) << *answer;
  scheduler.run_for(30s);
  EXPECT_FALSE(running());
  scheduler.run_for(40s);
  EXPECT_TRUE(running());
}

TEST_F(QuiescenceTest, NothingIsStoppedThatNobodyWouldStart) {
  dead_man.error = core::Error{core::ErrorCode::unavailable, "no systemd"};
  pausing();
  EXPECT_TRUE(running());
  EXPECT_TRUE(services.log.empty());
  EXPECT_NE(answer->find("no systemd"), std::string::npos) << *answer;
  EXPECT_FALSE(quiescence.active());
}

TEST_F(QuiescenceTest, OneThatDoesNotStopIsBroughtBack) {
  services.unit(kPausedUnit).stop_error = core::Error{core::ErrorCode::not_permitted, "refused"};
  pausing();
  scheduler.run_for(5s);
  EXPECT_TRUE(running());
  EXPECT_FALSE(dead_man.waiting());
  EXPECT_FALSE(quiescence.active());
  EXPECT_FALSE(journal_open());
}

TEST_F(QuiescenceTest, WithoutADaemonThereIsNothingToDo) {
  services.rest(services.unit(kPausedUnit), "inactive");
  pausing();
  EXPECT_EQ(answer, "");
  EXPECT_FALSE(dead_man.waiting());
  EXPECT_FALSE(quiescence.active());
}

TEST_F(QuiescenceTest, OnlyWhereItIsAllowed) {
  quiescence.configure(false);
  pausing();
  EXPECT_EQ(answer, "");
  quiescence.configure(true);
  for (const core::Mode mode : {core::Mode::observe, core::Mode::off, core::Mode::slew_only}) {
    core::Policy other;
    other.mode = mode;
    engine_.set_policy(other);
    pausing();
    EXPECT_EQ(answer, "");
  }
  EXPECT_TRUE(running());
  EXPECT_EQ(dead_man.armed, 0);
}

// Frozen while the daemon was being stopped: the correction after it began before that was known.
TEST_F(QuiescenceTest, AResumeDuringTheStop) {
  services.unit(kPausedUnit).stop_takes = 3s;
  quiescence.begin([](const std::string&) {});
  scheduler.run_for(1s);
  clock.pause(20s);
  bool stopped = false;
  executor.stop_daemons(1, [&](const engine::DaemonOutcome&) { stopped = true; });
  executor.start_daemons([](const engine::DaemonOutcome&) {});
  scheduler.run_for(10s);
  EXPECT_TRUE(stopped);
  quiescence.published();
  executor.finished();
  scheduler.run_for(10s);
  EXPECT_TRUE(running());
  EXPECT_FALSE(journal_open());
}

// The agent dies at any moment: the next life, or the timer, brings it back from the journal.
TEST_F(QuiescenceTest, WhoeverRecoversBringsItBack) {
  pausing();
  ASSERT_FALSE(running());
  correctors::TimeDaemons other_daemons{services, scheduler, {}};
  JournalFile other_journal{files, tree, clock, kPauseJournal, "boot-1"};
  Executor other{{stepper, other_daemons, rtc_writer, true}, other_journal, scheduler, policy, {}};
  other.recover([](const engine::DaemonOutcome&) {});
  scheduler.run_for(5s);
  EXPECT_TRUE(running());
}

}  // namespace
}  // namespace clockmend::app
