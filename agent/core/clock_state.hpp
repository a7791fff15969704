// What applications and operators may believe of the clock right now.
#pragma once

namespace clockmend::core {

/// starting:     no witness has answered yet since the agent began.
/// synchronized: the last verification held; nothing contradicts it.
/// suspect:      something happened; its size is being measured.
/// correcting:   the clock is being put right.
/// verifying:    stepped; the proof is outstanding.
/// degraded:     the clock was put right or left alone, but part of the proof or of the care failed.
/// refused:      a guard forbade the correction; the clock is believed wrong.
enum class ClockState { starting, synchronized, suspect, correcting, verifying, degraded, refused };

[[nodiscard]] constexpr const char* to_string(ClockState s) {
  switch (s) {
    case ClockState::starting:
      return "starting";
    case ClockState::synchronized:
      return "synchronized";
    case ClockState::suspect:
      return "suspect";
    case ClockState::correcting:
      return "correcting";
    case ClockState::verifying:
      return "verifying";
    case ClockState::degraded:
      return "degraded";
    case ClockState::refused:
      return "refused";
  }
  return "?";
}

}  // namespace clockmend::core
