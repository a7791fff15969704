// The world itself: does it do what the kernel's and QEMU's sources say? The table is written out again here, cell by
// cell, so that clock_rules.cpp cannot agree with itself only.
#include <gtest/gtest.h>

#include "tests/simulation/world.hpp"

namespace clockmend::sim {
namespace {

// One letter a column: stop/cont with kvm-clock, with tsc, migration or restore with kvm-clock, with tsc, stop/cont under
// TCG, S3 under KVM. '+': counts the gap, '0': does not, '?': depends on the host, or there is no such device.
struct Row {
  const char* clock;
  RtcClock rtc;
  const char* cells;
};
constexpr Row kRows[] = {
    {"tsc", RtcClock::host, "++000?"},      {"monotonic", RtcClock::host, "0+0000"}, {"raw", RtcClock::host, "0+0000"},
    {"boottime", RtcClock::host, "0+000+"}, {"realtime", RtcClock::host, "0+000+"},  {"rtc", RtcClock::host, "++++++"},
    {"rtc", RtcClock::rt, "++00?+"},        {"rtc", RtcClock::vm, "00000?"},         {"ptp", RtcClock::host, "++++?+"},
};
struct Column {
  const char* name;
  Clocksource source;
  VmEvent event;
};
constexpr Column kColumns[] = {
    {"stop_cont_kvm_clock", Clocksource::kvm_clock, VmEvent::stop_cont},
    {"stop_cont_tsc", Clocksource::tsc, VmEvent::stop_cont},
    {"migrate_kvm_clock", Clocksource::kvm_clock, VmEvent::migrate},
    {"migrate_tsc", Clocksource::tsc, VmEvent::migrate},
    {"stop_cont_tcg", Clocksource::tcg, VmEvent::stop_cont},
    {"s3_kvm_clock", Clocksource::kvm_clock, VmEvent::s3},
};
constexpr nanoseconds kGap = 30s;

nanoseconds read(World& w, const std::string& clock) {
  const core::ClockSnapshot now = w.clock.snapshot();
  if (clock == "tsc") return nanoseconds(static_cast<std::int64_t>(static_cast<double>(w.devices.tsc.ticks()) / w.devices.tsc.hz * 1e9));
  if (clock == "monotonic") return now.monotonic.time_since_epoch();
  if (clock == "raw") return now.raw.time_since_epoch();
  if (clock == "boottime") return now.boottime.time_since_epoch();
  if (clock == "realtime") return now.realtime.time_since_epoch();
  if (clock == "rtc") return w.rtc.time();
  return w.devices.phcs.devices.front()->time();
}

class WorldCell : public testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

TEST_P(WorldCell, CountsTheGapOrDoesNot) {
  const Row& row = kRows[std::get<0>(GetParam())];
  const Column& column = kColumns[std::get<1>(GetParam())];
  const char cell = row.cells[std::get<1>(GetParam())];
  if (cell == '?') return;
  MachineSpec spec;
  spec.clocksource = column.source;
  spec.rtc_clock = row.rtc;
  spec.devices.tsc = true;
  spec.devices.ptp = "KVM virtual PTP";
  World w(spec, 1);
  const nanoseconds before = read(w, row.clock);
  w.happens(column.event, kGap);
  const nanoseconds expected = cell == '+' ? kGap : 0ns;
  EXPECT_LE(core::magnitude({read(w, row.clock) - before - expected}), 1us);
}

std::string cell_name(const testing::TestParamInfo<std::tuple<std::size_t, std::size_t>>& info) {
  const Row& row = kRows[std::get<0>(info.param)];
  return std::string(row.clock) + (std::string(row.clock) == "rtc" ? std::string("_") + to_string(row.rtc) : "") + "_" +
         kColumns[std::get<1>(info.param)].name;
}
INSTANTIATE_TEST_SUITE_P(World, WorldCell,
                         testing::Combine(testing::Range(std::size_t{0}, std::size(kRows)),
                                          testing::Range(std::size_t{0}, std::size(kColumns))),
                         cell_name);

TEST(World, ACrystalMovesAllClocksOfTheGuestAlike) {
  MachineSpec spec;
  spec.daemon = DaemonKind::none;
  spec.crystal_ppm = 50;
  World w(spec, 1);
  const core::ClockSnapshot before = w.clock.snapshot();
  w.run(1000s);
  const core::ClockSnapshot after = w.clock.snapshot();
  EXPECT_LE(core::magnitude({w.error() + 50ms}), 1ms) << "50 ppm over 1000 s, ahead";
  EXPECT_EQ(after.raw - before.raw, after.monotonic - before.monotonic);
}

TEST(World, AVmmThatRestoresTheClockLeavesItRight) {
  MachineSpec spec;
  spec.clocksource = Clocksource::kvm_clock;
  spec.vmm_restores = true;
  World w(spec, 1);
  w.happens(VmEvent::loadvm, 60s);
  EXPECT_EQ(w.error(), 0ns);
  EXPECT_EQ(w.devices.vmclock.page.disruption_marker, 2U);
}

TEST(World, SuspendUnderTcgIsTimedInWholeSeconds) {
  MachineSpec spec;
  World w(spec, 1);
  w.happens(VmEvent::s3, 5300ms);
  EXPECT_NE(w.error(), 0ns);
  EXPECT_LE(core::magnitude({w.error()}), 1s);
}

}  // namespace
}  // namespace clockmend::sim
