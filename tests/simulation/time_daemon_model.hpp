// A time daemon as a machine's clock sees it: when it looks, when it steps, how it slews, when it gives up.
#pragma once

#include <optional>
#include <string>

#include "agent/core/time.hpp"

namespace clockmend::sim {

enum class DaemonKind { none, ntpd, chrony, timesyncd };

struct DaemonAction {
  core::nanoseconds step{};   // set the clock by this
  long slew_ppm = 0;          // from now on
  bool synchronized = false;  // clears STA_UNSYNC
  bool exits = false;
};

/// Called once a second while its unit runs. Measured behaviour (GUEST.md of the project's measurements): ntpd steps above
/// 128 ms after 300 s, exits above 1000 s except in its first look after a start; chrony steps only right after a start
/// (makestep 1 3), else slews 83 ms/s; timesyncd steps above 0.4 s at its next poll.
class TimeDaemonModel {
 public:
  explicit TimeDaemonModel(DaemonKind kind) : kind_(kind) {}

  [[nodiscard]] DaemonKind kind() const { return kind_; }
  [[nodiscard]] std::string unit() const;
  /// `error`: truth - REALTIME, as its servers tell it; nothing if none answers. `run`: its InvocationID.
  DaemonAction second(std::optional<core::nanoseconds> error, const std::string& run);

  /// chronyc "reset sources" and "burst": a slew under way ends, and 5 s later the sources have answered again.
  void told();
  /// Somebody set the clock while it runs: systemd-timesyncd notices by itself and asks its server at once.
  void clock_was_set();

  core::seconds poll{64};

 private:
  [[nodiscard]] DaemonAction first_look(core::nanoseconds error) const;
  [[nodiscard]] DaemonAction look(core::nanoseconds error);

  DaemonKind kind_;
  std::string run_;
  long age_ = 0;        // seconds since this run began
  long look_at_ = 0;    // age of a look out of turn
  long off_since_ = 0;  // ntpd: above the step threshold since
  DaemonAction last_{};
};

}  // namespace clockmend::sim
