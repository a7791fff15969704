// What the host says over the channel: something happened to the VM, and possibly what time it is there.
#pragma once

#include <optional>
#include <string>

#include "agent/core/backend.hpp"
#include "agent/core/reading.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

enum class NoticeEvent { pausing, resumed, hot_upgrade, migrated, restored, snapshot, set_time, resync };

[[nodiscard]] constexpr const char* to_string(NoticeEvent e) {
  switch (e) {
    case NoticeEvent::pausing:
      return "pausing";
    case NoticeEvent::resumed:
      return "resumed";
    case NoticeEvent::hot_upgrade:
      return "hot-upgrade";
    case NoticeEvent::migrated:
      return "migrated";
    case NoticeEvent::restored:
      return "restored";
    case NoticeEvent::snapshot:
      return "snapshot";
    case NoticeEvent::set_time:
      return "set-time";
    case NoticeEvent::resync:
      return "resync";
  }
  return "?";
}

/// A checked notice. The host's time is a witness under the guards, never a blind set.
struct HostNotice {
  NoticeEvent event = NoticeEvent::resumed;
  std::string id;  // unique per notice; repeats are dropped
  /// Names the life of the VM on one host; a new epoch ends the validity of host baselines.
  std::string epoch;
  /// From the four-stamp exchange with the smallest round trip; absent for a hook that only sends a stamp.
  std::optional<OffsetReading> exchange;
  /// A single stamp proves only that the true time is not before it (DESIGN section 6).
  std::optional<RealtimePoint> sent;
  bool force = false;    // `clockmend resync --force`: the operator lifts the single-source limits
  bool dry_run = false;  // measure and plan, touch nothing
  /// `clockmend resync --backend`: who makes the step of this correction; nothing: as configured.
  std::optional<StepBackend> backend;
};

}  // namespace clockmend::core
