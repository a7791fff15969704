#include "tests/simulation/time_daemon_model.hpp"

#include <algorithm>

namespace clockmend::sim {
namespace {

using namespace std::chrono_literals;

core::nanoseconds magnitude(core::nanoseconds v) { return v < 0ns ? -v : v; }

// The rate that removes `error` within `within`, at most `limit` ppm.
long rate(core::nanoseconds error, core::seconds within, long limit) {
  const auto ppm = error.count() / (within.count() * 1000);
  return std::clamp(static_cast<long>(ppm), -limit, limit);
}

constexpr long kFirstLook = 6;  // seconds from start to the first measurement

}  // namespace

std::string TimeDaemonModel::unit() const {
  switch (kind_) {
    case DaemonKind::none:
      return "";
    case DaemonKind::ntpd:
      return "ntpsec.service";
    case DaemonKind::chrony:
      return "chrony.service";
    case DaemonKind::timesyncd:
      return "systemd-timesyncd.service";
  }
  return "";
}

DaemonAction TimeDaemonModel::second(std::optional<core::nanoseconds> error, const std::string& run) {
  if (run != run_) {
    run_ = run;
    age_ = 0;
    off_since_ = look_at_ = 0;
    last_ = {};
  }
  ++age_;
  last_.step = 0ns;
  if (!error) return last_ = {.step = 0ns, .slew_ppm = 0, .synchronized = last_.synchronized, .exits = false};
  if (age_ == kFirstLook)
    last_ = first_look(*error);
  else if (age_ > kFirstLook && (age_ == look_at_ || age_ % poll.count() == 0))
    last_ = look(*error);
  // chrony corrects while it goes; the rate follows what is left.
  else if (kind_ == DaemonKind::chrony && last_.slew_ppm != 0)
    last_.slew_ppm = rate(*error, 1s, 83'333);
  return last_;
}

void TimeDaemonModel::told() {
  last_ = {.step = 0ns, .slew_ppm = 0, .synchronized = false, .exits = false};
  look_at_ = age_ + 5;
}

void TimeDaemonModel::clock_was_set() {
  if (kind_ == DaemonKind::timesyncd) look_at_ = age_ + 1;
}

DaemonAction TimeDaemonModel::first_look(core::nanoseconds error) const {
  const core::nanoseconds threshold = kind_ == DaemonKind::ntpd ? 128ms : kind_ == DaemonKind::chrony ? 1s : 400ms;
  if (magnitude(error) > threshold) return {.step = error, .slew_ppm = 0, .synchronized = true, .exits = false};
  return {.step = 0ns, .slew_ppm = rate(error, 64s, 500), .synchronized = true, .exits = false};
}

DaemonAction TimeDaemonModel::look(core::nanoseconds error) {
  const bool far = magnitude(error) > 128ms;
  off_since_ = far ? (off_since_ == 0 ? age_ : off_since_) : 0;
  switch (kind_) {
    case DaemonKind::none:
      return {};
    case DaemonKind::ntpd:
      if (magnitude(error) > 1000s) return {.step = 0ns, .slew_ppm = 0, .synchronized = false, .exits = true};
      if (far && age_ - off_since_ < 300) return last_;
      if (far) return {.step = error, .slew_ppm = 0, .synchronized = true, .exits = false};
      break;
    case DaemonKind::chrony:
      return {.step = 0ns, .slew_ppm = rate(error, 1s, 83'333), .synchronized = true, .exits = false};
    case DaemonKind::timesyncd:
      if (magnitude(error) > 400ms) return {.step = error, .slew_ppm = 0, .synchronized = true, .exits = false};
      break;
  }
  return {.step = 0ns, .slew_ppm = rate(error, 64s, 500), .synchronized = true, .exits = false};
}

}  // namespace clockmend::sim
