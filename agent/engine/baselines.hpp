// What each witness said while the clock was still right: the ground of differential restore (DESIGN section 2).
#pragma once

#include <array>
#include <optional>

#include "agent/core/notice.hpp"
#include "agent/core/reading.hpp"

namespace clockmend::engine {

/// Readings coarser than this saw a second of the RTC, not its edge: they tell that something happened, not how much.
[[nodiscard]] constexpr bool is_exact(const core::OffsetReading& reading) { return reading.uncertainty <= core::milliseconds{50}; }

struct Baseline {
  core::OffsetReading reading;
  /// The clock was disciplined when it was taken: returning to it means being right, not only being as before.
  bool disciplined = false;
};

class Baselines {
 public:
  [[nodiscard]] const std::optional<Baseline>& of(core::Witness w) const { return slots_[index(w)]; }

  /// Keeps the reading as the new baseline unless the old one, aged, is still the better.
  void learn(const core::OffsetReading& reading, bool disciplined);
  /// Replaces whatever is there.
  void relearn(const core::OffsetReading& reading, bool disciplined);
  void forget(core::Witness w) { slots_[index(w)].reset(); }
  /// Somebody set the clock and that is accepted: what was right before is now where the clock was taken.
  void accept_step(core::Offset amount);

  /// How long the VM was frozen between baseline and reading, as this witness sees it: the change of its offset that no
  /// adjustment of REALTIME (step or slew, seen in REALTIME - RAW) explains. Nothing without a baseline.
  [[nodiscard]] std::optional<core::OffsetInterval> gap(const core::OffsetReading& reading) const;
  /// The step that brings the witness's offset back to its baseline. Nothing without a baseline.
  [[nodiscard]] std::optional<core::OffsetInterval> needed(const core::OffsetReading& reading) const;

 private:
  [[nodiscard]] static std::size_t index(core::Witness w) { return static_cast<std::size_t>(w); }
  std::array<std::optional<Baseline>, core::kWitnesses> slots_;
};

/// The reading as it would have been, had REALTIME been stepped by `applied` before it was taken.
void move_along(core::OffsetReading& reading, core::Offset applied);

/// A reading taken before a step, ours or anybody's, and delivered after it still speaks of the clock before: moved along. The
/// step is seen by value in REALTIME - BOOTTIME, which neither slews (both slew) nor suspends (both gain the sleep) change.
[[nodiscard]] core::OffsetReading rebased(core::OffsetReading reading, const core::ClockSnapshot& now);
[[nodiscard]] core::HostNotice rebased(core::HostNotice notice, const core::ClockSnapshot& now);

}  // namespace clockmend::engine
