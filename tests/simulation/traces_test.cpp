// The world against recorded traces of real guests: each event is replayed with the gap that the guest had, and every
// clock must lose what it lost there.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

using nlohmann::json;

/// Recorded by a guest under an emulator on a shared machine: two readings, each good to a few milliseconds.
constexpr nanoseconds kReading = 25ms;
/// An RTC of clock=rt goes on from where it was saved, which is some time after the guest stood still.
constexpr nanoseconds kSaved = 300ms;
/// The time between a wake-up's whole RTC seconds is good to one.
constexpr nanoseconds kWholeSecond = 1s;

struct Replay {
  const char* recorded;
  VmEvent event;
};
constexpr Replay kReplays[] = {
    {"stop-cont", VmEvent::stop_cont},
    {"savevm", VmEvent::stop_cont},
    {"loadvm-fresh", VmEvent::loadvm},
    {"migrate-file", VmEvent::migrate},
    {"migrate-live", VmEvent::live_migration},
    {"s3", VmEvent::s3},
    {"s2idle", VmEvent::s2idle},
};
// loadvm in the same process: under TCG the TSC never goes back, which is an emulator's artefact and nobody's production.
// hwclock -w: a write, no event of the table; its effect is in rtc_scenarios.

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(CLOCKMEND_TRACES))
    if (entry.path().extension() == ".json") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

nanoseconds lost(const json& event, const char* clock) { return nanoseconds(event.at("lost_ns").value(clock, std::int64_t{0})); }

struct Clocks {
  nanoseconds realtime, monotonic, raw, boottime, tsc, rtc;
};
Clocks look(World& w) {
  const auto s = w.clock.snapshot();
  const auto tsc = static_cast<double>(w.devices.tsc.ticks()) / w.devices.tsc.hz * 1e9;
  return {s.realtime.time_since_epoch(),
          s.monotonic.time_since_epoch(),
          s.raw.time_since_epoch(),
          s.boottime.time_since_epoch(),
          nanoseconds(static_cast<std::int64_t>(tsc)),
          w.rtc.time()};
}

RtcClock rtc_clock(const json& trace) {
  const std::string arguments = trace.at("rtc");
  return arguments.ends_with("clock=vm") ? RtcClock::vm : arguments.ends_with("clock=rt") ? RtcClock::rt : RtcClock::host;
}

void compare(const json& event, VmEvent what, RtcClock rtc) {
  // Of the clocks that count no gap at all MONOTONIC is the one that every event of the recordings has.
  const nanoseconds gap = guest_sleeps(what) ? nanoseconds(5s) : lost(event, "monotonic");
  MachineSpec spec;
  spec.daemon = DaemonKind::none;
  spec.clocksource = Clocksource::tcg;
  spec.rtc_clock = rtc;
  World w(spec, 1);
  const Clocks before = look(w);
  const auto began = w.clock.truth();
  w.happens(what, gap);
  const Clocks after = look(w);
  const nanoseconds elapsed = w.clock.truth() - began;
  const bool sleeps = guest_sleeps(what);
  const auto check = [&](const char* clock, nanoseconds b, nanoseconds a) {
    const nanoseconds simulated = elapsed - (a - b);
    const nanoseconds tolerance = sleeps && simulated != 0ns ? kWholeSecond : kReading;
    const bool rounded = what == VmEvent::s3 && (std::string(clock) == "realtime" || std::string(clock) == "boottime");
    const bool saved = rtc == RtcClock::rt && new_process(what) && std::string(clock) == "rtc";
    EXPECT_LE(core::magnitude({simulated - lost(event, clock)}), rounded ? kWholeSecond
                                                                 : saved ? kSaved
                                                                         : tolerance)
        << clock << ": recorded " << lost(event, clock).count() << " ns, simulated " << simulated.count() << " ns";
  };
  check("realtime", before.realtime, after.realtime);
  check("monotonic", before.monotonic, after.monotonic);
  check("raw", before.raw, after.raw);
  check("boottime", before.boottime, after.boottime);
  check("tsc", before.tsc, after.tsc);
  if (event.at("lost_ns").contains("rtc")) check("rtc", before.rtc, after.rtc);
}

TEST(Traces, TheWorldLosesWhatTheGuestsLost) {
  unsigned replayed = 0;
  for (const auto& path : files()) {
    const json trace = json::parse(std::ifstream(path));
    for (const json& event : trace.at("events")) {
      if (!event.contains("lost_ns")) continue;
      const std::string name = event.at("event");
      for (const Replay& r : kReplays) {
        if (name != r.recorded) continue;
        SCOPED_TRACE(path.filename().string() + " " + name);
        compare(event, r.event, rtc_clock(trace));
        ++replayed;
      }
    }
  }
  RecordProperty("events_replayed", static_cast<int>(replayed));
  EXPECT_GE(replayed, 10U) << "traces are missing";
}

// The length of a pause as the host measured it, where it knows both ends.
TEST(Traces, AStoppedGuestLosesTheTimeBetweenStopAndResume) {
  for (const auto& path : files()) {
    const json trace = json::parse(std::ifstream(path));
    for (const json& event : trace.at("events")) {
      if (event.at("event") != "stop-cont" || !event.contains("lost_ns")) continue;
      const nanoseconds stopped(event.at("host").at("resumed_ns").get<std::int64_t>() -
                                event.at("host").at("stopped_ns").get<std::int64_t>());
      EXPECT_LE(core::magnitude({lost(event, "realtime") - stopped}), kReading) << path.filename();
    }
  }
}

}  // namespace
}  // namespace clockmend::sim
