// The systemd target that stands for a trustworthy clock.
#include "agent/app/valid_target.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "tests/fakes/fake_files.hpp"
#include "tests/fakes/fake_services.hpp"

namespace clockmend::app {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFlag = "/run/clockmend/clock-valid";
constexpr const char* kTargetUnit = "clockmend-valid.target";

class TargetDisk final : public core::FileWriter {
 public:
  explicit TargetDisk(fakes::FakeFiles& tree) : tree_(tree) {}
  core::Status replace(const std::string& path, const std::string& content, bool) override {
    tree_.files[path] = content;
    return core::success();
  }
  core::Status append(const std::string& path, const std::string& line, bool) override {
    tree_.files[path] += line;
    return core::success();
  }
  core::Status remove(const std::string& path) override {
    tree_.files.erase(path);
    return core::success();
  }

 private:
  fakes::FakeFiles& tree_;
};

struct TargetTest : testing::Test {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeServices services{scheduler};
  fakes::FakeFiles files;
  TargetDisk disk{files};
  engine::Engine engine_{core::Policy{}, {clock.snapshot(), clock.status}, 1};
  std::vector<std::string> notes;
  ValidTarget target{engine_, &services, disk, scheduler, kFlag, [this](const std::string& n) { notes.push_back(n); }};

  void SetUp() override { services.add(kTargetUnit, false); }
  [[nodiscard]] engine::Now now() { return {clock.snapshot(), clock.status}; }
  void observe(const core::Observation& o) {
    (void)engine_.observe(o, now());
    target.follow();
  }
  void ntp(core::nanoseconds uncertainty = 5ms) {
    core::OffsetReading r;
    r.offset = clock.error();
    r.uncertainty = uncertainty;
    r.at = clock.snapshot();
    observe(r);
  }
  [[nodiscard]] bool flag() const { return files.files.contains(kFlag); }
  [[nodiscard]] bool active() { return services.unit(kTargetUnit).state.active_state == "active"; }
  [[nodiscard]] std::size_t jobs() const { return services.log.size(); }
  void settle(core::nanoseconds d = 2s) { scheduler.run_for(d); }
  void valid() {
    target.configure(true);
    ntp();
    settle();
    ASSERT_TRUE(active());
  }
  core::HostNotice resumed() {
    core::HostNotice n;
    n.id = "n1";
    return n;
  }
};

TEST_F(TargetTest, NotBeforeTheClockIsKnownToBeRight) {
  files.files[kFlag] = "";  // of an earlier life
  target.configure(true);
  settle();
  EXPECT_FALSE(flag());
  EXPECT_FALSE(active());
  EXPECT_EQ(jobs(), 0U);
  ntp();
  EXPECT_EQ(jobs(), 0U) << "not inside the event";
  settle();
  EXPECT_TRUE(flag());
  EXPECT_TRUE(active());
}

TEST_F(TargetTest, GoneWhileTheClockIsInDoubt) {
  valid();
  clock.pause(20s);
  observe(resumed());
  EXPECT_EQ(jobs(), 1U);
  settle(99ms);
  EXPECT_EQ(jobs(), 1U) << "nothing of systemd's while the witnesses are asked";
  settle();
  EXPECT_FALSE(flag());
  EXPECT_FALSE(active());
}

TEST_F(TargetTest, AFalseAlarmStopsNobody) {
  valid();
  observe(resumed());
  settle(20ms);
  (void)engine_.reconsider(now());
  ntp();
  ASSERT_EQ(engine_.state(), core::ClockState::synchronized);
  settle();
  EXPECT_EQ(jobs(), 1U);
  EXPECT_TRUE(active());
}

TEST_F(TargetTest, AStepIsShownHoweverShort) {
  valid();
  clock.pause(20s);
  observe(resumed());
  engine_.own_step_applied({20s});
  clock.step(20s);
  target.follow();
  // As if all the rest had taken no time.
  settle();
  ASSERT_GE(jobs(), 2U);
  EXPECT_EQ(services.log[1], std::string("stop ") + kTargetUnit);
}

TEST_F(TargetTest, SwitchedOffItIsLeftAlone) {
  target.configure(false);
  ntp();
  settle();
  EXPECT_EQ(jobs(), 0U);
  EXPECT_FALSE(flag());
  target.configure(true);
  settle();
  EXPECT_TRUE(active());
  target.configure(false);
  settle();
  EXPECT_FALSE(active());
  EXPECT_FALSE(flag());
}

TEST_F(TargetTest, WithoutTheUnitTheFlagIsKept) {
  fakes::FakeServices none{scheduler};
  ValidTarget other{engine_, &none, disk, scheduler, kFlag, [this](const std::string& n) { notes.push_back(n); }};
  other.configure(true);
  ntp();
  other.follow();
  settle();
  EXPECT_TRUE(flag());
  for (int i = 0; i < 10; ++i) {
    ntp();
    other.follow();
    settle(120s);
  }
  EXPECT_EQ(none.log.size(), 1U) << "asked once";
  EXPECT_TRUE(notes.empty());
}

TEST_F(TargetTest, NoBusIsToldOnceAndTriedNowAndThen) {
  services.bus_error = core::Error{core::ErrorCode::unavailable, "no bus"};
  target.configure(true);
  for (int i = 0; i < 100; ++i) {
    ntp();
    settle(1s);
  }
  EXPECT_EQ(notes.size(), 1U);
  EXPECT_LE(jobs(), 3U);
  EXPECT_FALSE(flag()) << "it says no more than the target";
  services.bus_error.reset();
  settle(120s);
  EXPECT_TRUE(active());
}

TEST_F(TargetTest, OneThatCouldNotBeStoppedIsStoppedFirst) {
  valid();
  services.unit(kTargetUnit).stop_error = core::Error{core::ErrorCode::unavailable, "no answer"};
  clock.pause(20s);
  observe(resumed());
  settle();
  EXPECT_FALSE(flag()) << "whatever becomes of the target";
  services.unit(kTargetUnit).stop_error.reset();
  (void)engine_.reconsider(now());
  clock.step(20s);
  engine_.own_step_applied({20s});
  ntp();
  settle(61s);
  ASSERT_GE(jobs(), 4U);
  EXPECT_EQ(services.log[2], std::string("stop ") + kTargetUnit);
  EXPECT_EQ(services.log[3], std::string("start ") + kTargetUnit);
}

TEST_F(TargetTest, TheAgentsEndTakesTheFlagAway) {
  valid();
  target.close();
  EXPECT_FALSE(flag());
}

}  // namespace
}  // namespace clockmend::app
