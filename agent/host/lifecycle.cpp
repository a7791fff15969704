#include "agent/host/lifecycle.hpp"

namespace clockmend::host {

namespace {

using core::NoticeEvent;

std::optional<NoticeEvent> origin_of(int detail) {
  switch (static_cast<StartedDetail>(detail)) {
    case StartedDetail::booted:
      return std::nullopt;
    case StartedDetail::migrated:
      return NoticeEvent::migrated;
    case StartedDetail::restored:
      return NoticeEvent::restored;
    case StartedDetail::from_snapshot:
      return NoticeEvent::snapshot;
    case StartedDetail::wakeup:
      return NoticeEvent::resumed;
  }
  // A newer libvirt's reason: it may have been frozen.
  return NoticeEvent::resumed;
}

}  // namespace

std::optional<NoticeEvent> LifeStory::hear(int event, int detail, bool running) {
  switch (static_cast<LifeEvent>(event)) {
    case LifeEvent::started:
      return started(detail, running);
    case LifeEvent::resumed:
      return resumed(detail);
    case LifeEvent::stopped:
    case LifeEvent::crashed:
      origin_.reset();
      return std::nullopt;
    case LifeEvent::suspended:
      suspended(detail);
      return std::nullopt;
    case LifeEvent::defined:
    case LifeEvent::undefined:
    case LifeEvent::shutdown:
    case LifeEvent::pm_suspended:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<NoticeEvent> LifeStory::started(int detail, bool running) {
  origin_ = origin_of(detail);
  told_ = running;
  if (!running) return std::nullopt;
  // `resumed` may still follow: the same reason again, and the guest finds its clock right.
  return origin_;
}

// A guest that was told of its start and is paused later has nothing more to do with it.
void LifeStory::suspended(int detail) {
  const bool part_of_start =
      detail == static_cast<int>(SuspendedDetail::restored) || detail == static_cast<int>(SuspendedDetail::from_snapshot);
  if (told_ && !part_of_start) origin_.reset();
}

NoticeEvent LifeStory::resumed(int detail) {
  const std::optional<NoticeEvent> origin = origin_;
  origin_.reset();
  switch (static_cast<ResumedDetail>(detail)) {
    case ResumedDetail::migrated:
    case ResumedDetail::postcopy:
      return NoticeEvent::migrated;
    case ResumedDetail::from_snapshot:
      // libvirt 9 says this of a guest from a saved image too.
      return origin.value_or(NoticeEvent::snapshot);
    case ResumedDetail::unpaused:
    case ResumedDetail::postcopy_failed:
      break;
  }
  return origin.value_or(NoticeEvent::resumed);
}

const char* to_string(LifeEvent event) {
  switch (event) {
    case LifeEvent::defined:
      return "defined";
    case LifeEvent::undefined:
      return "undefined";
    case LifeEvent::started:
      return "started";
    case LifeEvent::suspended:
      return "suspended";
    case LifeEvent::resumed:
      return "resumed";
    case LifeEvent::stopped:
      return "stopped";
    case LifeEvent::shutdown:
      return "shut down";
    case LifeEvent::pm_suspended:
      return "suspended itself";
    case LifeEvent::crashed:
      return "crashed";
  }
  return "changed";
}

}  // namespace clockmend::host
