// Many guests that resume at the same moment: what the NTP servers see of it, and how soon the clocks are right.
#pragma once

#include <string>
#include <vector>

#include "agent/core/time.hpp"

namespace clockmend::sim {

/// What a guest of the fleet has beside four NTP servers and a time daemon.
enum class Fleet { ptp, host_exchange, rtc, ntp_only };
inline constexpr Fleet kFleets[] = {Fleet::ptp, Fleet::host_exchange, Fleet::rtc, Fleet::ntp_only};
[[nodiscard]] const char* describe(Fleet f);

struct FleetSpec {
  unsigned hosts = 100;
  unsigned guests_per_host = 100;
  core::nanoseconds gap = std::chrono::milliseconds(47'550);
  core::nanoseconds watched = std::chrono::seconds(40);  // after the resume
};

struct FleetResult {
  std::vector<core::nanoseconds> right;     // of each guest that became right: resume to the step that did it
  std::vector<core::nanoseconds> verified;  // resume to the end of the verification by NTP
  std::vector<core::nanoseconds> packets;   // every NTP request: when, since the resume
  unsigned still_wrong = 0;                 // guests off by more than 10 ms at the end
  unsigned steps = 0;
};

/// Each guest is a machine of its own; they share the moment and the servers' load.
[[nodiscard]] FleetResult run_fleet(Fleet kind, const FleetSpec& spec, std::uint64_t seed);

/// The value below which `percent` of them lie; zero for none.
[[nodiscard]] core::nanoseconds percentile(std::vector<core::nanoseconds> values, double percent);
/// Packets in each slice of `width`, from the resume on.
[[nodiscard]] std::vector<unsigned> histogram(const std::vector<core::nanoseconds>& packets, core::nanoseconds width,
                                              core::nanoseconds until);

}  // namespace clockmend::sim
