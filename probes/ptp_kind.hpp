// What a PTP clock is, by its sysfs clock_name: whether it may be believed, and on which time scale it runs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/settings.hpp"
#include "agent/core/time.hpp"

namespace clockmend::probes {

struct PtpKind {
  /// Lower is preferred.
  unsigned rank = 0;
  /// Its time says nothing (smeared), only that it ran on.
  bool tripwire = false;
  /// A hypervisor's: it may speak before its rate is learned.
  bool host_clock = true;
  core::Timescale scale = core::Timescale::automatic;  // automatic: its name does not tell
  friend bool operator==(const PtpKind&, const PtpKind&) = default;
};

/// The kind, or why it is not to be taken. By clock_name only: numbers change, and a NIC's clock is nobody's time of day unless
/// the configuration says so.
using PtpVerdict = std::variant<PtpKind, std::string>;
[[nodiscard]] PtpVerdict judge_ptp_name(std::string_view clock_name, const core::PtpSettings& settings);

/// What to subtract from the clock to get UTC, where its kind does not tell: the nearer of 0 and TAI - UTC, if one of them
/// leaves less than half a second against REALTIME. TAI only while the kernel calls REALTIME synchronised: a guest that was
/// frozen for 37 s would look the same. Nothing: it cannot be decided now.
///
/// The vmclock PHC shows UTC up to Linux 6.19 and TAI from 7.0 (tai_adjust() in ptp_vmclock.c), under the same name.
[[nodiscard]] std::optional<core::nanoseconds> decide_tai_offset(core::Timescale scale, core::nanoseconds phc_minus_realtime,
                                                                 const core::KernelClockStatus& kernel);

/// TAI - UTC by the kernel (adjtimex(2), tai), else the value since 2017.
[[nodiscard]] core::seconds tai_minus_utc(const core::KernelClockStatus& kernel);

}  // namespace clockmend::probes
