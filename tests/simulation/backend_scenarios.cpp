// The step made by a program, and the RTC written by one: the same report, the same end.
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using core::ActionKind;
using core::Outcome;
using core::StepBackend;

constexpr StepBackend kPrograms[] = {StepBackend::ntpdate, StepBackend::ntpd, StepBackend::ntpdig, StepBackend::chronyd};

core::Policy by(StepBackend backend, core::StepFallback fallback = core::StepFallback::builtin) {
  core::Policy p = default_policy();
  p.step_backend = backend;
  p.step_fallback = fallback;
  return p;
}

MachineSpec with(DaemonKind kind) {
  MachineSpec m;
  m.daemon = kind;
  return m;
}

bool is_step_program(const std::string& line) { return !line.starts_with("/usr/bin/chronyc") && !line.starts_with("/sbin/hwclock"); }

/// A program that asks the servers, sets the clock after `steps_after`, wrong by `error`, and ends a little later.
struct Program {
  explicit Program(Machine& m, nanoseconds after = 1s, nanoseconds wrong_by = 300us) : machine(m) {
    m.world.commands.takes = after + 500ms;
    m.world.commands.result = core::CommandResult{0, "clock set\n"};
    m.world.commands.on_begin = [this, after, wrong_by](const std::string& line) {
      if (!is_step_program(line)) return;
      ++runs;
      beside_a_daemon = beside_a_daemon || machine.world.daemon_running();
      machine.world.scheduler.post_after(after, [this, wrong_by] {
        if (sets) machine.world.set_clock(machine.world.error() + wrong_by);
      });
    };
  }
  Machine& machine;
  unsigned runs = 0;
  bool beside_a_daemon = false;
  bool sets = true;
};

void expect_all_well(Machine& r) {
  SCOPED_TRACE(story(r));
  EXPECT_LE(r.error(), 5ms);
  EXPECT_EQ(r.guest.reports.size(), 1U);
  ASSERT_FALSE(r.guest.reports.empty());
  EXPECT_EQ(r.report().outcome, Outcome::corrected);
  EXPECT_TRUE(r.report().verified);
  EXPECT_EQ(r.guest.engine().counters().foreign_steps, 0U) << "its step was ours";
  EXPECT_EQ(r.guest.engine().state(), core::ClockState::synchronized);
  EXPECT_TRUE(r.world.daemon_running());
  EXPECT_FALSE(r.guest.engine().busy());
}

TEST(StepPrograms, EachEndsInTheSameReport) {
  for (const StepBackend backend : kPrograms) {
    for (const DaemonKind kind : {DaemonKind::ntpd, DaemonKind::chrony, DaemonKind::timesyncd, DaemonKind::none}) {
      SCOPED_TRACE(core::to_string(backend));
      Machine r(with(kind), by(backend));
      Program program(r);
      r.world.pause(47550ms);
      r.host_tells(core::NoticeEvent::resumed, true);
      r.world.run(20s);
      if (kind != DaemonKind::none) expect_all_well(r);
      EXPECT_EQ(program.runs, 1U);
      EXPECT_FALSE(program.beside_a_daemon);
      ASSERT_FALSE(r.guest.reports.empty());
      EXPECT_LE(core::magnitude(r.report().total - core::Offset{47550ms}), 5ms) << story(r);
      EXPECT_EQ(r.report().reason, std::string("stepped by ") + core::to_string(backend) + " and verified by NTP");
      EXPECT_LE(r.world.steps.size(), 1U) << "a trim at most";
    }
  }
}

TEST(StepPrograms, NobodyTellsAndNtpOnly) {
  MachineSpec m;
  m.rtc = false;
  Machine r(m, by(StepBackend::ntpdate));
  Program program(r);
  r.world.pause(47550ms);
  r.host_tells(core::NoticeEvent::resumed, false);
  r.world.run(20s);
  EXPECT_EQ(program.runs, 1U);
  EXPECT_LE(r.error(), 5ms) << story(r);
  EXPECT_EQ(r.guest.engine().counters().foreign_steps, 0U);
}

class SecondPause : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(StepPrograms, SecondPause, testing::Bool(), [](const auto& p) { return p.param ? "Told" : "NobodyTells"; });

// The program's step has the second pause in it, which no witness knew of when it was asked.
TEST_P(SecondPause, WhileAStepProgramRuns) {
  for (int ms = 0; ms < 5000; ms += 130) {
    Machine r(MachineSpec{}, by(StepBackend::chronyd));
    Program program(r, 2s);
    r.world.pause(20s);
    r.host_tells(core::NoticeEvent::resumed, true);
    r.world.run(std::chrono::milliseconds(ms));
    r.world.pause(7s);
    if (GetParam()) r.host_tells(core::NoticeEvent::resumed, true);
    r.world.run(60s);
    EXPECT_LE(r.error(), 5ms) << "second pause after " << ms << " ms" << story(r);
    EXPECT_TRUE(r.world.daemon_running());
    EXPECT_EQ(r.guest.engine().counters().foreign_steps, 0U) << "second pause after " << ms << " ms" << story(r);
  }
}

TEST(StepPrograms, SomebodySetsTheClockBesideOne) {
  Machine r(MachineSpec{}, by(StepBackend::ntpdate));
  Program program(r, 2s);
  r.world.pause(20s);
  r.host_tells(core::NoticeEvent::resumed, true);
  r.world.scheduler.post_after(1500ms, [&] { r.world.set_clock(-3s); });
  r.world.run(60s);
  EXPECT_LE(r.error(), 5ms) << story(r);
  EXPECT_TRUE(r.world.daemon_running());
}

TEST(StepPrograms, AMissingOne) {
  for (const core::StepFallback fallback : {core::StepFallback::builtin, core::StepFallback::none}) {
    Machine r(MachineSpec{}, by(StepBackend::ntpdig, fallback));
    r.world.commands.result = core::Error{core::ErrorCode::not_found, "203"};
    r.world.pause(47550ms);
    r.host_tells(core::NoticeEvent::resumed, true);
    r.world.run(4s);
    SCOPED_TRACE(story(r));
    ASSERT_FALSE(r.guest.reports.empty());
    EXPECT_NE(r.guest.reports.front().reason.find("/usr/bin/ntpdig cannot be run: is it installed?"), std::string::npos);
    EXPECT_TRUE(r.world.daemon_running());
    if (fallback == core::StepFallback::builtin) {
      expect_all_well(r);
    } else {
      EXPECT_EQ(r.guest.reports.front().outcome, Outcome::failed);
      EXPECT_TRUE(r.world.steps.empty());
      EXPECT_EQ(r.guest.engine().state(), core::ClockState::degraded);
    }
  }
}

TEST(StepPrograms, OneThatHangsIsGivenUp) {
  Machine r(MachineSpec{}, by(StepBackend::ntpd));
  Program program(r, 600s);
  r.world.pause(47550ms);
  r.host_tells(core::NoticeEvent::resumed, true);
  r.world.run(40s);
  expect_all_well(r);
  EXPECT_EQ(r.world.steps.size(), 1U);
  EXPECT_NE(r.report().reason.find("did not end by itself"), std::string::npos);
}

TEST(StepPrograms, OneThatStepsAndThenFailsIsNotRepeated) {
  Machine r(MachineSpec{}, by(StepBackend::ntpdate));
  Program program(r);
  r.world.commands.result = core::CommandResult{1, "cannot write its log\n"};
  r.world.pause(47550ms);
  r.host_tells(core::NoticeEvent::resumed, true);
  r.world.run(20s);
  EXPECT_EQ(program.runs, 1U);
  EXPECT_LE(r.error(), 5ms) << story(r);
  ASSERT_FALSE(r.guest.reports.empty());
  EXPECT_LE(core::magnitude(r.guest.reports.front().total - core::Offset{47550ms}), 5ms);
  EXPECT_EQ(r.guest.engine().counters().foreign_steps, 0U);
}

TEST(StepPrograms, OneThatFollowsALiarIsPutRight) {
  MachineSpec m;
  m.servers = {{}, {}, {}};
  Machine r(m, by(StepBackend::ntpdate));
  Program program(r, 1s, 10s);
  r.world.pause(47550ms);
  r.host_tells(core::NoticeEvent::resumed, true);
  r.world.run(30s);
  EXPECT_LE(r.error(), 5ms) << story(r);
  EXPECT_EQ(r.world.steps.size(), 1U);
}

TEST(StepPrograms, OneThatClaimsAStepItDidNotMake) {
  Machine r(MachineSpec{}, by(StepBackend::ntpdate));
  Program program(r);
  program.sets = false;
  r.world.pause(47550ms);
  r.host_tells(core::NoticeEvent::resumed, true);
  r.world.run(30s);
  EXPECT_LE(r.error(), 5ms) << story(r);
}

TEST(StepPrograms, WithoutNtpTheStepIsOurs) {
  MachineSpec m;
  Machine r(m, by(StepBackend::ntpdate));
  Program program(r);
  r.world.set_server(0, {Server::Kind::dead, {}});
  r.world.pause(47550ms);
  r.host_tells(core::NoticeEvent::resumed, true);
  r.world.run(40s);
  EXPECT_EQ(program.runs, 0U);
  EXPECT_LE(r.error(), 60ms) << story(r);
  EXPECT_TRUE(r.world.daemon_running());
}

TEST(StepPrograms, ByRequestForOneCorrection) {
  Machine r{MachineSpec{}};
  Program program(r);
  r.world.pause(47550ms);
  core::HostNotice request = r.world.notice(core::NoticeEvent::resync, false);
  request.sent.reset();
  request.backend = StepBackend::ntpdate;
  r.guest.notify(request);
  r.world.run(20s);
  EXPECT_EQ(program.runs, 1U) << story(r);
  expect_all_well(r);
  r.world.pause(20s);
  r.world.run(20s);
  EXPECT_EQ(program.runs, 1U) << "the next one as configured";
  EXPECT_LE(r.error(), 5ms);
}

TEST(Hwclock, WritesTheRtc) {
  Machine r{MachineSpec{}};
  core::RtcSettings settings;
  settings.backend = core::RtcBackend::hwclock;
  r.guest.decide_rtc(settings);
  r.world.commands.result = core::CommandResult{0, ""};
  r.world.commands.takes = 800ms;
  r.world.commands.on_run = [&r](const std::string& line) {
    if (line.starts_with("/sbin/hwclock")) r.world.hwclock_write();
  };
  for (int round = 0; round < 3; ++round) {
    r.world.rtc.shift(-400ms);
    r.world.run(30s);
    r.guest.reports.clear();
    r.world.pause(47550ms);
    r.world.run(30s);
    SCOPED_TRACE(story(r));
    ASSERT_EQ(r.guest.reports.size(), 1U) << "our own write is no pause";
    EXPECT_EQ(r.report().rtc, "written by hwclock --utc");
    EXPECT_LE(core::magnitude({r.world.rtc.offset()}), 10ms);
    EXPECT_LE(r.error(), 5ms);
  }
  EXPECT_TRUE(r.world.rtc.writes.empty());
}

TEST(Hwclock, AMissingOne) {
  for (const core::RtcFallback fallback : {core::RtcFallback::ioctl, core::RtcFallback::none}) {
    Machine r{MachineSpec{}};
    core::RtcSettings settings;
    settings.backend = core::RtcBackend::hwclock;
    settings.fallback = fallback;
    r.guest.decide_rtc(settings);
    r.world.commands.result = core::Error{core::ErrorCode::not_found, "203"};
    r.world.pause(47550ms);
    r.world.run(20s);
    ASSERT_FALSE(r.guest.reports.empty());
    EXPECT_NE(r.report().rtc.find("/sbin/hwclock cannot be run: is it installed?"), std::string::npos) << r.report().rtc;
    EXPECT_EQ(r.world.rtc.writes.size(), fallback == core::RtcFallback::ioctl ? 1U : 0U);
    EXPECT_LE(r.error(), 5ms);
  }
}

}  // namespace
}  // namespace clockmend::sim
