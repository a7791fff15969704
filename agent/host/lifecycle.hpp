// From libvirt's lifecycle events to what the guest is told. Pure; without libvirt's headers, whose numbers are checked
// against these where they come from (agent/host/libvirt).
#pragma once

#include <optional>

#include "agent/core/notice.hpp"

namespace clockmend::host {

/// virDomainEventType.
enum class LifeEvent { defined, undefined, started, suspended, resumed, stopped, shutdown, pm_suspended, crashed };

/// virDomainEventStartedDetailType.
enum class StartedDetail { booted, migrated, restored, from_snapshot, wakeup };

/// virDomainEventSuspendedDetailType; only those that belong to a start are told apart.
enum class SuspendedDetail { restored = 4, from_snapshot = 5 };

/// virDomainEventResumedDetailType.
enum class ResumedDetail { unpaused, migrated, from_snapshot, postcopy, postcopy_failed };

/// What is remembered of one guest between its events.
class LifeStory {
 public:
  /// What to tell the guest now; nothing where it cannot have lost time, or does not run (yet).
  ///   started: a fresh boot reads its own RTC. Migrated in, restored or reverted it is told as soon as it runs; libvirt then
  ///            often says `resumed: unpaused`, which loses the reason, so that is remembered from `started`.
  ///   suspended: too late to be told.
  [[nodiscard]] std::optional<core::NoticeEvent> hear(int event, int detail, bool running);

 private:
  [[nodiscard]] std::optional<core::NoticeEvent> started(int detail, bool running);
  [[nodiscard]] core::NoticeEvent resumed(int detail);
  void suspended(int detail);

  std::optional<core::NoticeEvent> origin_;  // why it was started, until the `resumed` that belongs to it
  bool told_ = false;                        // of the start
};

/// "suspended", for the log; "changed" for what a newer libvirt may say.
[[nodiscard]] const char* to_string(LifeEvent event);

}  // namespace clockmend::host
