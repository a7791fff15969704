// Choosing the clock, keeping it, and looking for one again. Reading it is in ptp_reading.cpp; both are explained in README.md.
#include "probes/ptp.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "probes/ptp_limits.hpp"

namespace clockmend::probes {

using core::nanoseconds;

PtpProbe::PtpProbe(core::PhcCatalogue& catalogue, core::Scheduler& scheduler, core::ClockReader& clock, core::PtpSettings settings,
                   nanoseconds poll_interval)
    : catalogue_(catalogue), scheduler_(scheduler), clock_(clock), settings_(std::move(settings)), period_(poll_interval) {}

void PtpProbe::start(core::ObservationSink sink) {
  sink_ = std::move(sink);
  begin();
}

void PtpProbe::begin() {
  if (!settings_.enabled) {
    state_ = core::ProbeState::off;
    why_ = "switched off by the configuration";
    candidates_ = {};
    timer_.reset();
    return;
  }
  state_ = core::ProbeState::starting;
  why_ = "looking for a clock";
  look_soon();
}

void PtpProbe::configure(core::PtpSettings settings) {
  settings_ = std::move(settings);
  if (!sink_) return;
  lost_why_.reset();
  if (held_) {
    const PtpVerdict verdict = judge_ptp_name(held_->device.clock_name, settings_);
    const auto* kind = std::get_if<PtpKind>(&verdict);
    if (settings_.enabled && kind != nullptr && *kind == held_->kind)
      return candidates_.refresh(catalogue_.list(), settings_, scheduler_.now());
    if (spoke_) baseline_void_ = "the PTP clock is another one";
    held_.reset();
  }
  candidates_.forgive();
  begin();
}

void PtpProbe::own_change(const core::OwnChange& /*change*/) {}

void PtpProbe::measure_now() {
  if (held_) return observe(true);
  emit_failure(why_);
}

core::ProbeHealth PtpProbe::health() const {
  core::ProbeHealth health{state_, why_, last_, {}};
  if (!held_ || state_ == core::ProbeState::degraded) {
    const PtpCandidates::Candidate* best = candidates_.best();
    health.why += candidates_.others(best == nullptr ? nullptr : &best->device);
    return health;
  }
  const char* scale = held_->kind.tripwire                                     ? "smeared, tripwire only"
                      : held_->tai_offset.value_or(nanoseconds{}).count() == 0 ? "UTC"
                                                                               : "TAI";
  char text[96];
  std::snprintf(text, sizeof text, ": %s, bracket %.1f us", scale, static_cast<double>(held_->bracket.count()) / 1e3);
  health.why = ptp_words(held_->device) + text;
  if (!held_->kind.tripwire && spoke_) health.sees_within = period_;
  if (held_->learned)
    std::snprintf(text, sizeof text, ", rate %+.1f ppm", held_->rate.ppm());
  else
    std::snprintf(text, sizeof text, ", learning its rate");
  health.why += text + candidates_.others(&held_->device);
  return health;
}

void PtpProbe::look_soon() {
  timer_ = scheduler_.after(nanoseconds::zero(), [this] { look(); });
}

void PtpProbe::arm_tick() {
  timer_ = scheduler_.at(core::next_tick(scheduler_.now(), period_), [this] { tick(); });
}

void PtpProbe::look() {
  held_.reset();
  candidates_.refresh(catalogue_.list(), settings_, scheduler_.now());
  if (open_best()) {
    arm_tick();
    return observe(false);
  }
  const PtpCandidates::Candidate* best = candidates_.best();
  if (best == nullptr) {
    state_ = lost_why_ ? core::ProbeState::degraded : core::ProbeState::off;
    why_ = lost_why_.value_or("no PTP clock of a hypervisor");
    empty_backoff_ = std::clamp<nanoseconds>(empty_backoff_ * 2, kPtpFirstBackoff, kPtpLongestBackoff);
    timer_ = scheduler_.after(empty_backoff_, [this] { look(); });
    return;
  }
  const bool waits = best->why.empty();  // nothing is wrong with it
  state_ = waits ? core::ProbeState::starting : core::ProbeState::degraded;
  why_ = ptp_words(best->device) + ": " + (waits ? "it gets time to become ready" : best->why);
  timer_ = scheduler_.at(*candidates_.next(), [this] { look(); });
}

bool PtpProbe::open_best() {
  while (PtpCandidates::Candidate* candidate = candidates_.pick(scheduler_.now())) {
    auto opened = catalogue_.open(candidate->device);
    if (!opened) {
      candidates_.set_aside(core::PhcDevice{candidate->device}, scheduler_.now(), opened.error().text);
      continue;
    }
    lost_why_.reset();
    empty_backoff_ = {};
    Held fresh;
    fresh.device = candidate->device;
    fresh.kind = candidate->kind;
    fresh.phc = std::move(*opened);
    fresh.silent = candidate->rejected || !candidate->kind.host_clock;
    held_ = std::move(fresh);
    if (!candidate->rejected) {
      state_ = core::ProbeState::starting;
      why_ = "learning the rate of " + ptp_words(held_->device);
    }
    return true;
  }
  return false;
}

void PtpProbe::lost(std::string why) {
  state_ = core::ProbeState::degraded;
  why_ = std::move(why);
  lost_why_ = why_;
  if (spoke_) baseline_void_ = "the PTP clock is another one, or was made anew";
  held_.reset();
  look_soon();
}

void PtpProbe::put_aside(std::string why, std::optional<nanoseconds> pause) {
  const core::PhcDevice device = held_->device;
  candidates_.set_aside(device, scheduler_.now(), why, pause);
  lost(ptp_words(device) + ": " + std::move(why));
  lost_why_.reset();  // told of the candidate, as long as it is there
}

bool PtpProbe::better_one_there() {
  const PtpCandidates::Candidate* best = candidates_.pick(scheduler_.now());
  return held_ && held_->kind.tripwire && best != nullptr && best->kind.rank < held_->kind.rank;
}

void PtpProbe::device_appeared(std::string_view node) {
  if (!sink_ || !settings_.enabled) return;
  candidates_.refresh(catalogue_.list(), settings_, scheduler_.now());
  candidates_.appeared(node, scheduler_.now());
  candidates_.forgive();
  if (!held_ || better_one_there()) look_soon();
}

void PtpProbe::device_gone() {
  if (!sink_ || !settings_.enabled) return;
  candidates_.refresh(catalogue_.list(), settings_, scheduler_.now());
  if (!held_) return look_soon();
  if (candidates_.find(held_->device) == nullptr) lost(ptp_words(held_->device) + " was removed");
}

}  // namespace clockmend::probes
