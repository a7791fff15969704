// Many witnesses, one estimate: turns readings into testimony about the needed step, and votes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/core/discontinuity.hpp"
#include "agent/core/policy.hpp"
#include "agent/engine/baselines.hpp"

namespace clockmend::engine {

/// What is known of the event when a reading is weighed.
struct EventContext {
  bool foreign_step = false;  // somebody set REALTIME: returning to an undisciplined baseline would prove nothing
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
};

/// The weightiest group of witnesses whose intervals share a point; ties go by `on_disagreement`, then to the tightest.
/// Marks the evidence it used. No estimate without evidence, or on a tie under `hold`.
[[nodiscard]] Vote vote(std::vector<core::Evidence>& evidence, const core::Policy& policy);

}  // namespace clockmend::engine
