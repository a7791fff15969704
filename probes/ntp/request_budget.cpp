#include "probes/ntp/request_budget.hpp"

#include <algorithm>

namespace clockmend::probes::ntp {

namespace {
constexpr core::seconds kMaxSpacing{1024};
constexpr core::seconds kDenied{64};
constexpr core::nanoseconds kMayOwe = core::nanoseconds{RequestBudget::kRefill} * (RequestBudget::kBurst - 1);
}  // namespace

core::MonotonicPoint RequestBudget::next(core::MonotonicPoint now) const {
  auto when = std::max({now, debt_until_ - kMayOwe, silent_until_});
  if (ever_asked_) when = std::max(when, last_ + spacing_);
  return when;
}

bool RequestBudget::take(core::MonotonicPoint now) {
  if (next(now) > now) return false;
  debt_until_ = std::max(debt_until_, now) + kRefill;
  gap_before_last_ = ever_asked_ ? now - last_ : core::nanoseconds::max();
  last_ = now;
  ever_asked_ = true;
  return true;
}

unsigned RequestBudget::left(core::MonotonicPoint now) const {
  if (next(now) > now) return 0;
  const core::nanoseconds owed = std::max(debt_until_ - now, core::nanoseconds::zero());
  const core::nanoseconds refill = kRefill;
  return kBurst - static_cast<unsigned>((owed + refill - core::nanoseconds{1}) / refill);
}

bool RequestBudget::told_to_wait(core::MonotonicPoint now) const { return silent_until_ > now || (ever_asked_ && last_ + spacing_ > now); }

bool RequestBudget::asked_within(core::nanoseconds d, core::MonotonicPoint now) const { return ever_asked_ && now - last_ < d; }

void RequestBudget::kissed(std::string_view code, core::MonotonicPoint now) {
  if (code == "RATE") {
    spacing_ = spaced() ? std::min<core::nanoseconds>(spacing_ * 2, kMaxSpacing) : core::nanoseconds{kHeadway};
  } else if (code == "DENY" || code == "RSTR") {
    silent_until_ = now + kDenied;
  }
}

void RequestBudget::answered() {
  ever_answered_ = true;
  if (spacing_ > kHeadway) spacing_ = std::max<core::nanoseconds>(spacing_ / 2, kHeadway);
}

core::nanoseconds RequestBudget::patience(core::nanoseconds timeout) const {
  const bool may_be_dropped = ever_answered_ && gap_before_last_ < kHeadway;
  return may_be_dropped ? std::max<core::nanoseconds>(timeout, kHeadway) : timeout;
}

}  // namespace clockmend::probes::ntp
