#include "probes/vmclock.hpp"

#include <algorithm>
#include <utility>

#include "probes/vmclock_time.hpp"

namespace clockmend::probes {
namespace {

using core::milliseconds;
using core::nanoseconds;
using core::seconds;

/// How far UTC against RAW must have moved since the last reading before another one is handed out unasked: below what any
/// correction starts for, above what a rate error of 300 ppm makes of 16 s.
constexpr nanoseconds kTimeMoved = milliseconds{5};
/// A reading nonetheless, as a baseline.
constexpr seconds kBaselineEvery{16};
/// A time that differs at that many looks in a row does not jump, it runs at a wrong rate.
constexpr unsigned kWrongRate = 8;
constexpr seconds kDistrust{300};
/// With notification the timer is only there for a plain pause, which no hypervisor notifies of.
constexpr nanoseconds kNotifiedPeriod = seconds{1};
/// More notifications than this within a second, and the next one waits for the tick.
constexpr unsigned kBurst = 4;
/// A page that is mid-update is looked at again at the next tick, this many times; then it is a failure like others.
constexpr unsigned kPatience = 3;
constexpr seconds kShortestBackoff{5};
constexpr seconds kLastBackoff{300};

nanoseconds backoff(unsigned failures) { return std::min(kShortestBackoff * (1U << std::min(failures - 1, 6U)), kLastBackoff); }

std::string from_to(std::uint64_t from, std::uint64_t to) { return std::to_string(from) + " -> " + std::to_string(to); }

}  // namespace

VmclockProbe::VmclockProbe(core::Vmclock& device, core::Scheduler& scheduler, milliseconds poll_interval)
    : device_(device), scheduler_(scheduler), poll_interval_(poll_interval) {}

void VmclockProbe::start(core::ObservationSink sink) {
  sink_ = std::move(sink);
  if (!device_.present()) {
    why_ = "no " + device_.describe();
    return;
  }
  open_soon();
}

void VmclockProbe::open_soon() {
  may_notify_ = true;
  state_ = core::ProbeState::starting;
  why_ = "opening " + device_.describe();
  timer_ = scheduler_.at(scheduler_.now(), [this] { look(false); });
}

void VmclockProbe::measure_now() {
  if (state_ != core::ProbeState::off) return look(true);
  if (sink_) sink_(core::MeasurementFailed{core::Witness::vmclock, why_});
}

void VmclockProbe::device_appeared() {
  if (!sink_ || state_ == core::ProbeState::running || state_ == core::ProbeState::starting) return;
  failures_ = 0;
  device_.reopen();
  open_soon();
}

void VmclockProbe::device_gone(std::string_view node) {
  const std::string mine = device_.describe();
  if (!mine.ends_with(node)) return;  // tests have a prefix before /dev
  device_.reopen();
  timer_.reset();
  watching_ = false;
  page_.reset();
  last_.reset();
  distrusted_until_.reset();
  state_ = core::ProbeState::off;
  why_ = "no " + mine + ": it was removed";
  const std::string removed = why_;
  if (sink_ && device_.present()) open_soon();  // another one, with a marker of its own
  if (std::exchange(told_, {}) && sink_) sink_(core::BaselineVoid{core::Witness::vmclock, removed});
}

void VmclockProbe::notified() {
  watching_ = false;
  const core::MonotonicPoint now = scheduler_.now();
  if (now - burst_begin_ >= seconds{1}) {
    burst_begin_ = now;
    burst_ = 0;
  }
  if (++burst_ <= kBurst) return look(false);
  timer_ = scheduler_.at(core::next_tick(now, poll_interval_), [this] { look(false); });
}

void VmclockProbe::watch() {
  if (watching_ || !may_notify_) return;
  const core::Status watched = device_.watch([this] { notified(); });
  watching_ = watched.ok();
  if (!watched && watched.error().code == core::ErrorCode::unsupported) may_notify_ = false;
}

void VmclockProbe::look(bool asked) {
  watch();  // before reading: see Vmclock::watch
  const core::Result<core::VmclockPage> page = device_.read();
  if (!page) return failed(page.error(), asked);
  failures_ = 0;
  state_ = core::ProbeState::running;
  Observations out;
  const bool known = page_.has_value();
  see_changes(*page, out);
  see_time(*page, asked || !known || !out.empty(), asked, out);
  page_ = *page;
  arm();
  emit(out);
}

nanoseconds VmclockProbe::period() const { return watching_ ? std::max<nanoseconds>(kNotifiedPeriod, poll_interval_) : poll_interval_; }

void VmclockProbe::arm() {
  if (watching_ && !no_time_.empty()) return timer_.reset();
  timer_ = scheduler_.at(core::next_tick(scheduler_.now(), period()), [this] { look(false); });
}

void VmclockProbe::failed(const core::Error& error, bool asked) {
  why_ = error.text;
  if (asked && state_ == core::ProbeState::degraded) {  // being asked often must not lengthen the back-off
    sink_(core::MeasurementFailed{core::Witness::vmclock, why_});
    return;
  }
  ++failures_;
  if (error.code == core::ErrorCode::not_found && !device_.present()) {
    device_.reopen();
    watching_ = false;
    timer_.reset();
    state_ = core::ProbeState::off;
    why_ = "no " + device_.describe();
  } else if (error.code == core::ErrorCode::timeout && failures_ <= kPatience) {
    timer_ = scheduler_.at(core::next_tick(scheduler_.now(), poll_interval_), [this] { look(false); });
  } else {
    device_.reopen();
    watching_ = false;
    may_notify_ = true;
    state_ = core::ProbeState::degraded;
    timer_ = scheduler_.after(backoff(failures_), [this] { look(false); });
  }
  if (asked) sink_(core::MeasurementFailed{core::Witness::vmclock, why_});
}

void VmclockProbe::see_changes(const core::VmclockPage& page, Observations& out) {
  if (page_) {
    std::string why;
    if (page.disruption_marker != page_->disruption_marker)
      why = "vmclock marker " + from_to(page_->disruption_marker, page.disruption_marker);
    const bool counted = page.vm_generation_counter && page_->vm_generation_counter;
    if (counted && *page.vm_generation_counter != *page_->vm_generation_counter) {
      if (!why.empty()) why += "; ";
      why +=
          "vmclock generation counter " + from_to(*page_->vm_generation_counter, *page.vm_generation_counter) + ": loaded from a snapshot";
    }
    if (!why.empty()) {
      distrusted_until_.reset();  // another host may do better
      changes_ = 0;
      core::Disruption d;
      d.tripwire = core::Tripwire::vmclock;
      d.moved = true;
      d.why = std::move(why);
      out.emplace_back(std::move(d));
    }
  }
  const std::uint64_t rising = page.flags & ~(page_ ? page_->flags : 0);
  if ((rising & kVmclockDisruptionImminent) != 0) {
    out.emplace_back(core::DisruptionExpected{core::Tripwire::vmclock, "vmclock: a disruption is imminent (about an hour)"});
  } else if ((rising & kVmclockDisruptionSoon) != 0) {
    out.emplace_back(core::DisruptionExpected{core::Tripwire::vmclock, "vmclock: a disruption is expected soon (about a day)"});
  }
}

bool VmclockProbe::believable(core::RawPoint now, bool moved) {
  if (distrusted_until_ && now < *distrusted_until_) return false;
  distrusted_until_.reset();
  changes_ = moved ? changes_ + 1 : 0;
  if (changes_ < kWrongRate) return true;
  changes_ = 0;
  distrusted_until_ = now + kDistrust;
  return false;
}

void VmclockProbe::see_time(const core::VmclockPage& page, bool wanted, bool asked, Observations& out) {
  core::Result<core::OffsetReading> reading = vmclock_reading(page);
  no_time_.clear();
  if (reading) {
    const nanoseconds relation = reading->offset.value + core::realtime_minus_raw(page.at);
    const Told now{relation, page.at.raw, reading->uncertainty, page.time_type, page.tai_offset_s};
    const bool other = told_ && (told_->time_type != now.time_type || told_->tai_offset_s != now.tai_offset_s);
    const nanoseconds limit = told_ ? std::max(kTimeMoved, told_->uncertainty + now.uncertainty) : kTimeMoved;
    const bool moved = told_ && core::magnitude({relation - told_->utc_minus_raw}) > limit;
    if (!believable(page.at.raw, moved && !other)) {
      no_time_ = "its time does not run as the clock does: not believed for a while";
    } else if (wanted || moved || other || !told_ || page.at.raw - told_->at >= kBaselineEvery) {
      told_ = now;
      reading->detail = device_.describe() + ", " + std::string(vmclock_status(page));
      last_ = *reading;
      if (other) out.emplace_back(core::BaselineVoid{core::Witness::vmclock, "vmclock: another time scale or TAI offset"});
      out.emplace_back(std::move(*reading));
    }
  } else {
    no_time_ = reading.error().text;
  }
  if (asked && !no_time_.empty()) out.emplace_back(core::MeasurementFailed{core::Witness::vmclock, no_time_});
}

void VmclockProbe::emit(const Observations& observations) {
  for (const core::Observation& o : observations) sink_(o);
}

core::ProbeHealth VmclockProbe::health() const {
  if (state_ != core::ProbeState::running || !page_) return {state_, why_, last_, {}};
  std::string text = device_.describe() + ": marker " + std::to_string(page_->disruption_marker) + ", status " +
                     std::string(vmclock_status(*page_)) + (watching_ ? ", notified of changes" : ", polled");
  if (failures_ > 0) text += "; " + why_;
  text += no_time_.empty() ? "; tells the time" : "; tripwire only: " + no_time_;
  return {state_, std::move(text), last_, no_time_.empty() ? period() : nanoseconds::zero()};
}

}  // namespace clockmend::probes
