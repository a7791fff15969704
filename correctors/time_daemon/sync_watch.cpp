#include "correctors/time_daemon/sync_watch.hpp"

#include <algorithm>
#include <utility>

namespace clockmend::correctors {
namespace {

// A tenth of what it took already: `took` is true to 10 %, and waiting for half an hour costs some 140 looks.
constexpr int kShare = 10;
constexpr core::nanoseconds kSoonest = core::seconds{1};
constexpr core::nanoseconds kLatest = core::seconds{15};
constexpr core::seconds kPatience{1800};  // ntpd's longest usual poll interval is 1024 s

core::nanoseconds until_next_look(core::nanoseconds since) { return std::clamp(since / kShare, kSoonest, kLatest); }

}  // namespace

void SyncWatch::begin(std::function<void()> on_end) {
  state_ = State::waiting;
  took_.reset();
  on_end_ = std::move(on_end);
  begun_ = scheduler_.now();
  before_ = clock_.kernel_status();
  timer_ = scheduler_.after(kSoonest, [this] { look(); });
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
  timer_ = scheduler_.after(until_next_look(since), [this] { look(); });
}

void SyncWatch::end(State state) {
  state_ = state;
  if (const auto call = std::exchange(on_end_, nullptr)) call();
}

}  // namespace clockmend::correctors
