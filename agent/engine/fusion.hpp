// Many witnesses, one estimate: turns readings into testimony about the needed step, and votes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/core/discontinuity.hpp"
#include "agent/core/policy.hpp"
#include "agent/engine/baselines.hpp"

namespace clockmend::engine {

/// Witnesses that read the clock of the host: their agreement proves that it was read well, not that it is right.
[[nodiscard]] constexpr bool is_host_clock(core::Witness w) {
  return w == core::Witness::host || w == core::Witness::ptp || w == core::Witness::vmclock;
}

/// What is known of the event when a reading is weighed.
struct EventContext {
  bool foreign_step = false;  // somebody set REALTIME: returning to an undisciplined baseline would prove nothing
  bool attested = false;      // a notice or a tripwire says that the VM was paused: a forward jump of the host's clock is no mere setting
  bool host_moved = false;    // migrated, restored, upgraded: the RTC's phase and the host's clock may be others now
};

/// The step this reading calls for, with its whole error: differential where a baseline allows, else absolute.
[[nodiscard]] core::Evidence testify(const core::OffsetReading& reading, const Baselines& baselines, const EventContext& event,
                                     const core::Policy& policy);

struct Vote {
  std::optional<core::Estimate> estimate;
  /// Set when witnesses contradict each other: who, and by how much.
  std::string conflict;
  /// Distance between the winning interval and the nearest contradicting one; zero without a conflict.
  core::nanoseconds conflict_distance{};
  /// The only server was left out of it: what the estimate says is not proved.
  bool overruled = false;
};

/// The weightiest group of witnesses whose intervals share a point; ties go by `on_disagreement`, then to the tightest.
/// Marks the evidence it used. No estimate without evidence, or on a tie under `hold`.
/// `attested`: as in EventContext. Where it is not, a host whose clock was set looks like a pause to everything that follows that
/// clock (PTP, vmclock and the RTC alike): against NTP they are one voice.
[[nodiscard]] Vote vote(std::vector<core::Evidence>& evidence, const core::Policy& policy, bool attested);

/// What a distance between two witnesses probably is: TAI taken for UTC (37 s), an RTC in local time (whole hours); else empty.
[[nodiscard]] std::string probable_mistake(core::nanoseconds distance);

}  // namespace clockmend::engine
