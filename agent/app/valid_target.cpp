#include "agent/app/valid_target.hpp"

#include <utility>

namespace clockmend::app {
namespace {

constexpr const char* kTarget = "clockmend-valid.target";
/// A disturbance that is measured and found to be none within this long stops nobody's services; and a job of systemd's does
/// not run on the guest's processor while the first witnesses are asked.
constexpr core::milliseconds kDoubt{100};
constexpr core::milliseconds kJobDeadline{10000};
constexpr core::seconds kRetry{60};

}  // namespace

ValidTarget::ValidTarget(engine::Engine& engine, core::ServiceManager* services, core::FileWriter& writer, core::Scheduler& scheduler,
                         std::string flag, OnNote on_note)
    : engine_(engine), services_(services), writer_(writer), scheduler_(scheduler), flag_(std::move(flag)), on_note_(std::move(on_note)) {}

void ValidTarget::configure(bool enabled) {
  if (!enabled_ && !shown_) (void)writer_.remove(flag_);  // of an earlier life
  enabled_ = enabled;
  absent_ = false;
  follow();
}

bool ValidTarget::wanted() const { return enabled_ && engine_.state() == core::ClockState::synchronized; }

void ValidTarget::follow() {
  if (wanted() == shown_ && !stepped_since()) {
    soon_.reset();
    return;
  }
  if (soon_ || busy_ || retry_) return;
  const bool wait = shown_ && !stepped_since() && enabled_;
  soon_ = scheduler_.after(wait ? core::nanoseconds{kDoubt} : core::nanoseconds::zero(), [this] {
    const core::TimerHandle keep = std::move(soon_);
    act();
  });
}

void ValidTarget::act() {
  if (busy_ || (wanted() == shown_ && !stepped_since())) return;
  if (shown_)
    hide();
  else
    show();
}

void ValidTarget::show() {
  steps_ = engine_.counters().steps;
  (void)writer_.replace(flag_, "", false);
  if (services_ == nullptr || absent_) return ended(true, core::UnitState{});
  busy_ = true;
  services_->start(kTarget, kJobDeadline, [this](const core::Result<core::UnitState>& reply) { ended(true, reply); });
}

void ValidTarget::hide() {
  (void)writer_.remove(flag_);
  if (services_ == nullptr || absent_) return ended(false, core::UnitState{});
  busy_ = true;
  services_->stop(kTarget, kJobDeadline, [this](const core::Result<core::UnitState>& reply) { ended(false, reply); });
}

void ValidTarget::ended(bool shown, const core::Result<core::UnitState>& reply) {
  busy_ = false;
  absent_ = absent_ || (!reply && reply.error().code == core::ErrorCode::not_found);
  if (reply || absent_) {
    shown_ = shown;
    told_.clear();
    return follow();
  }
  // Not started: then the flag must not say more than the target. Not stopped: it is stopped before it may stand for anything again.
  if (shown)
    (void)writer_.remove(flag_);
  else
    steps_ = ~std::uint64_t{0};
  const std::string why = std::string(kTarget) + (shown ? " cannot be started: " : " cannot be stopped: ") + reply.error().text;
  if (on_note_ && why != told_) on_note_(why);
  told_ = why;
  retry_ = scheduler_.after(kRetry, [this] {
    const core::TimerHandle keep = std::move(retry_);
    follow();
  });
}

void ValidTarget::close() {
  soon_.reset();
  retry_.reset();
  (void)writer_.remove(flag_);
}

}  // namespace clockmend::app
