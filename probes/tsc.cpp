#include "probes/tsc.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace clockmend::probes {
namespace {

using core::milliseconds;
using core::nanoseconds;
using core::seconds;

/// Smaller gaps are nobody's trouble; above what preemption between two clock readings leaves.
constexpr nanoseconds kLeastGap = milliseconds{20};
/// A reading whose clocks took longer is not used: we were not running in the middle of it.
constexpr nanoseconds kWidest = milliseconds{2};
/// An interval that says too little about the rate: the next reading is compared with the same older one.
constexpr nanoseconds kShortest = milliseconds{50};
/// So many divergences in a row are no pauses, but a counter of another frequency (a migration to a different processor).
constexpr unsigned kOtherRate = 3;
constexpr nanoseconds kDecideEvery = seconds{60};
/// The counter fell behind RAW so often within a minute: it is not the same one on every CPU.
constexpr unsigned kBackward = 3;
constexpr nanoseconds kBackwardWindow = seconds{60};
constexpr nanoseconds kRest = seconds{300};

std::string in_seconds(nanoseconds d) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.3f s", static_cast<double>(d.count()) / 1e9);
  return text.data();
}

std::string in_mhz(double hz) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.3f MHz", hz / 1e6);
  return text.data();
}

}  // namespace

TscProbe::TscProbe(core::Tsc& tsc, core::ClockReader& clock, core::Scheduler& scheduler, milliseconds poll_interval)
    : tsc_(tsc), clock_(clock), scheduler_(scheduler), poll_interval_(poll_interval) {}

void TscProbe::start(core::ObservationSink sink) {
  sink_ = std::move(sink);
  decide();
}

void TscProbe::measure_now() {
  if (!sink_) return;
  if (state_ == core::ProbeState::off) return decide();
  if (state_ != core::ProbeState::degraded) tick();
}

std::string TscProbe::blindness() {
  if (const auto reading = tsc_.read(); !reading) return reading.error().text;
  if (tsc_.emulated()) return "emulated processor: the counter stands still together with the clocks";
  if (source_ == "tsc") return "clocksource is tsc: the counter freezes and runs with the clock";
  return {};
}

void TscProbe::decide() {
  const std::string before = std::exchange(source_, clock_.clocksource());
  if (source_ != before) forget();
  decided_at_ = clock_.snapshot().raw;
  std::string blind = blindness();
  if (!blind.empty()) {
    timer_.reset();
    forget();
    state_ = core::ProbeState::off;
    why_ = std::move(blind);
    return;
  }
  if (state_ == core::ProbeState::degraded) return;  // resting; its timer runs
  if (state_ == core::ProbeState::off) state_ = core::ProbeState::starting;
  why_ = "learning the counter's rate";
  arm();
}

void TscProbe::arm() {
  timer_ = scheduler_.at(core::next_tick(scheduler_.now(), poll_interval_), [this] { tick(); });
}

void TscProbe::tick() {
  const auto now = tsc_.read();
  if (!now) return decide();  // says why it is off
  if (now->at.raw - decided_at_ >= kDecideEvery) {
    decide();
    if (state_ == core::ProbeState::off) return;
  }
  arm();
  if (now->at.bracket <= kWidest) compare(*now);
}

void TscProbe::compare(const core::TscReading& now) {
  if (!last_) last_ = now;
  // As a difference of unsigned numbers: right over a wrap, negative when the counter was set back.
  const auto ticks = static_cast<std::int64_t>(now.ticks - last_->ticks);
  const nanoseconds raw = now.at.raw - last_->at.raw;
  const nanoseconds bracket = now.at.bracket + last_->at.bracket;
  const nanoseconds gap = rate_.beyond_raw(ticks, raw);
  const nanoseconds slept = core::boottime_minus_monotonic(now.at) - core::boottime_minus_monotonic(last_->at);
  const bool suspended =
      slept >= kLeastGap;  // the kernel knows of it and has corrected REALTIME; what the counter did is the host's choice
  const bool quiet = core::magnitude({gap}) <= std::max(kLeastGap, rate_.error_over(raw) + bracket);
  if (quiet && !suspended && raw < kShortest) return;
  last_ = now;
  if (suspended) return;
  if (!quiet) return diverged(gap, raw, rate_.error_over(raw + core::magnitude({gap})) + bracket);
  divergences_ = 0;
  rate_.learn(ticks, raw, bracket);
  if (rate_.per_second()) state_ = core::ProbeState::running;
}

void TscProbe::diverged(nanoseconds gap, nanoseconds raw, nanoseconds uncertainty) {
  if (++divergences_ >= kOtherRate) {
    forget();
    state_ = core::ProbeState::starting;
    why_ = "the counter's frequency changed: learning it again";
    return;
  }
  core::Disruption d;
  d.tripwire = core::Tripwire::tsc;
  if (gap > nanoseconds::zero()) {
    d.gap = gap;
    d.gap_uncertainty = uncertainty;
    d.why = "the CPU's counter ran on for " + in_seconds(gap) + " while the clock stood still";
    return sink_(std::move(d));
  }
  const core::RawPoint now = last_->at.raw;
  if (backward_ == 0 || now - backward_since_ > kBackwardWindow) {
    backward_ = 0;
    backward_since_ = now;
  }
  if (++backward_ >= kBackward) return pause("the CPU's counter fell behind several times: it differs from CPU to CPU");
  d.moved = true;
  d.why = "the CPU's counter fell " + in_seconds(-gap) + " behind within " + in_seconds(raw) + ": restored or moved";
  sink_(std::move(d));
}

void TscProbe::pause(std::string why) {
  state_ = core::ProbeState::degraded;
  why_ = std::move(why);
  forget();
  timer_ = scheduler_.after(kRest, [this] {
    state_ = core::ProbeState::off;
    decide();
  });
}

void TscProbe::forget() {
  rate_.forget();
  last_.reset();
  divergences_ = 0;
  backward_ = 0;
}

core::ProbeHealth TscProbe::health() const {
  if (state_ != core::ProbeState::running) return {state_, why_, {}};
  return {state_,
          in_mhz(rate_.per_second().value_or(0)) + " against " + source_ +
              ": sees a plain pause, not a restore or migration (both stand still)",
          {}};
}

}  // namespace clockmend::probes
