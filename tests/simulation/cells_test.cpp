// Every machine of the table through every event: what the agent must make of it. The expectation is worked out here from
// what the devices of the cell can see, and is part of the test's name.
#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

constexpr nanoseconds kGap = 30s;

/// Who tells first, the best last.
enum class Seen { nothing_wrong, by_idle_ntp, by_rtc, by_suspend, by_tripwire, by_ptp };
const char* to_string(Seen s) {
  switch (s) {
    case Seen::nothing_wrong:
      return "stays_right";
    case Seen::by_idle_ntp:
      return "found_by_idle_ntp";
    case Seen::by_rtc:
      return "found_by_rtc";
    case Seen::by_suspend:
      return "found_by_suspend";
    case Seen::by_tripwire:
      return "found_by_tripwire";
    case Seen::by_ptp:
      return "found_by_ptp";
  }
  return "?";
}

enum class Extra { none, tsc, vmclock, vmgenid, ptp };
constexpr Extra kExtras[] = {Extra::none, Extra::tsc, Extra::vmclock, Extra::vmgenid, Extra::ptp};
const char* to_string(Extra e) {
  switch (e) {
    case Extra::none:
      return "";
    case Extra::tsc:
      return "_tsc";
    case Extra::vmclock:
      return "_vmclock";
    case Extra::vmgenid:
      return "_vmgenid";
    case Extra::ptp:
      return "_ptp";
  }
  return "?";
}

struct Cell {
  Clocksource source;
  VmEvent event;
  RtcClock rtc;
  Extra extra;
  bool vmm_restores;
};

/// REALTIME's error after the event, in the worst case of a whole second's rounding.
bool goes_wrong(const Cell& c) {
  if (guest_sleeps(c.event)) return c.event == VmEvent::s3 && c.source == Clocksource::tcg && c.rtc != RtcClock::none;
  return !c.vmm_restores && !(c.event == VmEvent::stop_cont && c.source == Clocksource::tsc);
}

Seen seen(const Cell& c) {
  if (!goes_wrong(c)) return Seen::nothing_wrong;
  if (c.extra == Extra::ptp) return Seen::by_ptp;
  if (guest_sleeps(c.event)) return Seen::by_suspend;
  // The counter runs on while kvm-clock stands still; a new process tells by the page's marker or the kernel's line.
  if (c.extra == Extra::tsc && c.event == VmEvent::stop_cont && c.source == Clocksource::kvm_clock) return Seen::by_tripwire;
  if ((c.extra == Extra::vmclock || c.extra == Extra::vmgenid) && new_process(c.event)) return Seen::by_tripwire;
  if (c.rtc == RtcClock::host || (c.rtc == RtcClock::rt && !new_process(c.event))) return Seen::by_rtc;
  return Seen::by_idle_ntp;
}

std::vector<Cell> cells() {
  std::vector<Cell> all;
  for (const Clocksource source : kClocksources) {
    for (const VmEvent event : kVmEvents) {
      for (const RtcClock rtc : kRtcClocks) {
        for (const Extra extra : kExtras) {
          if (extra == Extra::ptp && source == Clocksource::tcg) continue;  // ptp_kvm needs KVM
          all.push_back({source, event, rtc, extra, false});
          if (source == Clocksource::kvm_clock && extra == Extra::none && !guest_sleeps(event))
            all.push_back({source, event, rtc, extra, true});
        }
      }
    }
  }
  return all;
}

MachineSpec machine(const Cell& c) {
  MachineSpec m;
  m.daemon = DaemonKind::none;  // nobody else puts the clock right
  m.servers.assign(3, {});      // a majority: an RTC that froze with the guest contradicts them, and must lose
  m.clocksource = c.source;
  m.rtc_clock = c.rtc;
  m.vmm_restores = c.vmm_restores;
  m.devices.tsc = c.extra == Extra::tsc;
  m.devices.vmclock = c.extra == Extra::vmclock;
  m.devices.vmgenid = c.extra == Extra::vmgenid;
  m.devices.ptp = c.extra == Extra::ptp ? "KVM virtual PTP" : "";
  return m;
}

/// From resume to the first step.
nanoseconds right_within(Seen s) {
  switch (s) {
    case Seen::by_ptp:
      return 300ms;
    case Seen::by_tripwire:
    case Seen::by_suspend:
      return 1300ms;  // the tripwire's tick, then NTP or an RTC edge
    case Seen::by_rtc:
      return 2200ms;
    default:
      return 1400s;  // 17 min and its jitter
  }
}

class TableCell : public testing::TestWithParam<std::size_t> {
 protected:
  static const std::vector<Cell>& all() {
    static const std::vector<Cell> table = cells();
    return table;
  }

 public:
  static std::string name(const testing::TestParamInfo<std::size_t>& info) {
    const Cell& c = all()[info.param];
    return test_name(std::string(to_string(c.source)) + " " + to_string(c.event) + " rtc " + to_string(c.rtc) + to_string(c.extra) +
                     (c.vmm_restores ? " restored by the VMM" : "") + " " + to_string(seen(c)));
  }
  static std::size_t count() { return all().size(); }
};

TEST_P(TableCell, EndsRight) {
  const Cell& c = all()[GetParam()];
  const Seen s = seen(c);
  Machine r(machine(c));
  r.world.happens(c.event, kGap);
  r.world.run(30s);
  if (s == Seen::by_idle_ntp) {
    EXPECT_TRUE(r.world.steps.empty()) << "nobody can know yet" << story(r);
    r.world.run(1400s);
  }
  SCOPED_TRACE(story(r));
  EXPECT_LE(r.error(), 15ms);
  EXPECT_FALSE(r.guest.engine().busy());
  if (s == Seen::nothing_wrong) {
    EXPECT_TRUE(r.world.steps.empty());
    return;
  }
  const bool tiny = guest_sleeps(c.event) && r.world.steps.empty();  // the rounding came out below step_threshold
  if (tiny) return;
  ASSERT_FALSE(r.world.steps.empty());
  EXPECT_LE(r.world.steps.front().since_event, right_within(s));
  EXPECT_LE(core::magnitude({r.world.steps.front().error_after}), 60ms) << "the first step";
}
// With one server an RTC that froze with the guest says the clock is right: nobody can tell who errs, so the clock stays, but
// its state must say so.
TEST(OneServer, IsNotSilentlyOverruledByAFrozenRtc) {
  MachineSpec spec;
  spec.daemon = DaemonKind::none;
  spec.rtc_clock = RtcClock::vm;
  Machine r(spec);
  r.world.happens(VmEvent::stop_cont, kGap);
  r.world.run(1400s);
  EXPECT_TRUE(r.error() < 15ms || r.guest.engine().state() != core::ClockState::synchronized) << story(r);
}

INSTANTIATE_TEST_SUITE_P(Simulation, TableCell, testing::Range(std::size_t{0}, TableCell::count()), TableCell::name);

}  // namespace
}  // namespace clockmend::sim
