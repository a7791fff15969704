// How fast a PTP clock runs against CLOCK_MONOTONIC_RAW, told apart from single jumps.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "agent/core/time.hpp"

namespace clockmend::probes {

/// One reading: at `raw` the clock showed `phc`, give or take `error`.
struct PtpPoint {
  core::nanoseconds phc{};
  core::RawPoint raw;
  core::nanoseconds error{};
};

/// A freeze makes one interval between readings long, a wrong rate makes all of them long: the median interval tells the rate,
/// those far from it are jumps and are left out. Keeps the last 16 intervals; nothing is allocated.
class PtpRate {
 public:
  enum class Verdict { learning, sane, insane };

  PtpRate();
  void add(const PtpPoint& point);
  /// insane: proved to be more than 500 ppm off, or jumping about.
  [[nodiscard]] Verdict judge();
  /// So many of the last intervals were off that freezes do not explain it: do not believe it until judge() has seen more.
  [[nodiscard]] bool in_doubt() const;

  /// PHC - RAW grew from `from` to `to` by so much more than the rate explains, and that is certain to `error`.
  struct Change {
    core::nanoseconds moved{};
    core::nanoseconds error{};
  };
  [[nodiscard]] Change between(const PtpPoint& from, const PtpPoint& to) const;

  /// As last judged: positive runs fast.
  [[nodiscard]] double ppm() const { return ppm_; }
  /// For the operator: "runs 1500000 ppm fast against ..."
  [[nodiscard]] std::string describe() const;

 private:
  struct Step {
    core::nanoseconds raw{};    // how long it was
    core::nanoseconds moved{};  // how much further the clock went
    core::nanoseconds error{};
  };
  struct Kept {
    core::nanoseconds raw{};
    core::nanoseconds moved{};
    core::nanoseconds error{};  // of `moved`
    unsigned jumps = 0;
  };
  [[nodiscard]] double median_rate() const;
  [[nodiscard]] Kept without_jumps(double rate) const;

  static constexpr unsigned kSteps = 16;
  std::array<Step, kSteps> steps_{};
  unsigned count_ = 0;  // of them in use
  unsigned next_ = 0;
  std::optional<PtpPoint> last_;
  double ppm_ = 0.0;
  double error_ppm_;
  bool erratic_ = false;
};

}  // namespace clockmend::probes
