// What an application's own programs in hooks.d are told of a correction.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/core/discontinuity.hpp"
#include "agent/core/offset.hpp"

namespace clockmend::core {

enum class HookPoint { pre_step, post_step };

/// Also the name of the folder below hooks.d.
[[nodiscard]] constexpr const char* to_string(HookPoint p) { return p == HookPoint::pre_step ? "pre-step" : "post-step"; }

struct HookSettings {
  bool enabled = true;  // what lies in hooks.d is run
  /// Each program is ended after this long.
  milliseconds deadline{2000};
};

struct HookFacts {
  HookPoint point = HookPoint::pre_step;
  std::uint64_t correction = 0;  // CorrectionReport::number
  Cause cause = Cause::pause;
  Offset offset;                           // pre-step: about to be added to the clock; post-step: the sum of what was added
  std::optional<nanoseconds> uncertainty;  // of where the clock is after it
  bool verified = false;                   // post-step: NTP confirmed the result
};

}  // namespace clockmend::core
