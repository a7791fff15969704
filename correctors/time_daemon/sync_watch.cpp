#include "correctors/time_daemon/sync_watch.hpp"

#include <utility>

namespace clockmend::correctors {
namespace {

// Often while somebody may be waiting for it; a daemon that takes longer than minutes is asked about now and then.
constexpr core::seconds kOften{1};
constexpr core::seconds kOftenFor{120};
constexpr core::seconds kSeldom{15};
constexpr core::seconds kPatience{1800};  // ntpd's longest usual poll interval is 1024 s

}  // namespace

void SyncWatch::begin(std::function<void()> on_end) {
  state_ = State::waiting;
  took_.reset();
  on_end_ = std::move(on_end);
  begun_ = scheduler_.now();
  before_ = clock_.kernel_status();
  timer_ = scheduler_.after(kOften, [this] { look(); });
}

void SyncWatch::stop() {
  state_ = State::idle;
  timer_.reset();
  on_end_ = nullptr;
}

void SyncWatch::look() {
  const core::TimerHandle keep = std::move(timer_);
  const core::KernelClockStatus now = clock_.kernel_status();
  const core::nanoseconds since = scheduler_.now() - begun_;
  const bool disciplined = now.max_error < before_.max_error || (before_.unsynchronized && !now.unsynchronized);
  before_ = now;
  if (disciplined) {
    took_ = since;
    return end(State::again);
  }
  if (since >= kPatience) return end(State::given_up);
  timer_ = scheduler_.after(since < kOftenFor ? kOften : kSeldom, [this] { look(); });
}

void SyncWatch::end(State state) {
  state_ = state;
  if (const auto call = std::exchange(on_end_, nullptr)) call();
}

}  // namespace clockmend::correctors
