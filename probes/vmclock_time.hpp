// The time a vmclock page tells: pure arithmetic on what was read.
#pragma once

#include <string_view>

#include "agent/core/ports/vmclock.hpp"
#include "agent/core/reading.hpp"

namespace clockmend::probes {

/// VMCLOCK_FLAG_* of linux/vmclock-abi.h.
inline constexpr std::uint64_t kVmclockTaiOffsetValid = 1U << 0;
inline constexpr std::uint64_t kVmclockDisruptionSoon = 1U << 1;      // about a day
inline constexpr std::uint64_t kVmclockDisruptionImminent = 1U << 2;  // about an hour

/// VMCLOCK_STATUS_*: "synchronized", ...
[[nodiscard]] std::string_view vmclock_status(const core::VmclockPage& page);

/// Why the page cannot tell the time: no counter of this machine, status neither synchronized nor freerunning with a known
/// error, a time scale that does not lead to UTC, a leap second under way; else success.
[[nodiscard]] core::Status vmclock_tells_time(const core::VmclockPage& page);

/// UTC at `page.at`, against CLOCK_REALTIME, or why not. `uncertainty`: the clocks' bracket and what the extrapolation from
/// the page's instant may be wrong by; `systematic`: the hypervisor's own error (time_maxerror, or a stated bound).
[[nodiscard]] core::Result<core::OffsetReading> vmclock_reading(const core::VmclockPage& page);

}  // namespace clockmend::probes
