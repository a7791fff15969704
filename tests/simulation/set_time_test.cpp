// guest-set-time of clients that know only the QEMU guest agent: when it answers, and how right the clock is then.
#include "tests/simulation/dice.hpp"
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

struct Answer {
  std::optional<core::CorrectionReport> report;
  nanoseconds error{};  // |truth - REALTIME| then
  nanoseconds after{};  // since the client asked
  std::size_t published = 0;
};

/// `virsh domtime --now` sends whole seconds, cut off: true time is in [said, said + 1 s). The channel makes this of it.
core::HostNotice whole_seconds(Machine& r) {
  core::HostNotice n;
  n.event = core::NoticeEvent::set_time;
  const auto now = r.world.clock.snapshot();
  const auto truth = r.world.clock.truth();
  n.sent = std::chrono::floor<core::seconds>(truth);
  core::OffsetReading reading;
  reading.witness = core::Witness::host;
  reading.offset.value = *n.sent - now.realtime + 500ms;
  reading.uncertainty = 1s;
  reading.systematic = 50ms;
  reading.at = now;
  n.exchange = reading;
  return n;
}

Answer set_time(Machine& r, const core::HostNotice& notice) {
  Answer answer;
  const core::MonotonicPoint asked = r.world.clock.snapshot().monotonic;
  const std::size_t before = r.guest.published;
  r.guest.desk().notify(notice, [&](const core::CorrectionReport& report) {
    answer = {report, r.error(), r.world.clock.snapshot().monotonic - asked, r.guest.published - before};
  });
  r.world.run(30s);
  return answer;
}

core::HostNotice without_time() {
  core::HostNotice n;
  n.event = core::NoticeEvent::set_time;
  return n;
}

TEST(SetTime, AnswersAsSoonAsTheClockIsRightBeforeDaemonAndRtc) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Dice dice(seed);
    Machine r({}, default_policy(), seed);
    r.world.pause(1s + dice.within(60s));
    const bool bare = dice.one_in(2);
    const Answer answer = set_time(r, bare ? without_time() : whole_seconds(r));
    ASSERT_TRUE(answer.report) << story(r);
    EXPECT_EQ(answer.report->outcome, core::Outcome::corrected) << story(r);
    EXPECT_LE(answer.error, 10ms) << story(r);
    EXPECT_EQ(answer.published, 0U) << "the daemon is still being restarted: " << story(r);
    EXPECT_LT(answer.after, 1s);
    EXPECT_EQ(r.guest.published, 1U) << "the record comes all the same, once";
    EXPECT_TRUE(r.world.daemon_running());
    EXPECT_LE(r.error(), 5ms);
  }
}

TEST(SetTime, WholeSecondsAloneAreABoundOfOneSecond) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Dice dice(seed);
    MachineSpec alone;
    alone.servers = {{Server::Kind::dead, {}}};
    alone.rtc = false;
    Machine r(alone, default_policy(), seed);
    r.world.pause(3s + dice.within(60s));
    const Answer answer = set_time(r, whole_seconds(r));
    ASSERT_TRUE(answer.report) << story(r);
    EXPECT_EQ(answer.report->outcome, core::Outcome::corrected) << story(r);
    EXPECT_EQ(answer.published, 1U) << "so weak a word answers with the end of the correction";
    EXPECT_LE(answer.error, 500ms + 5ms) << story(r);
    ASSERT_TRUE(answer.report->estimate);
    EXPECT_GE(answer.report->estimate->uncertainty, answer.error);
    EXPECT_FALSE(answer.report->verified);
  }
}

TEST(SetTime, ARightClockIsLeftAloneByWholeSeconds) {
  Machine r{MachineSpec{}};
  const Answer answer = set_time(r, whole_seconds(r));
  ASSERT_TRUE(answer.report);
  EXPECT_EQ(answer.report->outcome, core::Outcome::no_action) << story(r);
  EXPECT_TRUE(r.world.steps.empty());
}

}  // namespace
}  // namespace clockmend::sim
