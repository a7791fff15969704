#include "agent/app/detection_latency.hpp"

#include <algorithm>

namespace clockmend::app {
namespace {

// With a live RTC witness every second is looked at (probes/README.md); without one only NTP's idle round would tell.
constexpr core::milliseconds kRtcLatency{1050};
constexpr core::seconds kNtpLatency{1200};
// A clock that is polled is late by its period and a busy machine's wake-up.
constexpr core::milliseconds kPollLatency{50};

core::nanoseconds latency_of(const core::ProbeStatus& probe) {
  if (probe.health.state != core::ProbeState::running) return kNtpLatency;
  if (probe.health.sees_within > core::nanoseconds::zero()) return probe.health.sees_within + kPollLatency;
  return probe.name == core::to_string(core::Witness::rtc) ? core::nanoseconds{kRtcLatency} : core::nanoseconds{kNtpLatency};
}

}  // namespace

core::nanoseconds max_detection_latency(const std::vector<core::ProbeStatus>& probes) {
  core::nanoseconds latency = kNtpLatency;
  for (const core::ProbeStatus& probe : probes) latency = std::min(latency, latency_of(probe));
  return latency;
}

}  // namespace clockmend::app
