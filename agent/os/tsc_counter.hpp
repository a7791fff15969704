// The time stamp counter and the clocks, read together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/core/ports/tsc.hpp"

namespace clockmend::os {

/// The four clocks with the counter read in their midst; `ticks` is absent on machines without a TSC.
struct CounterAndClocks {
  std::optional<std::uint64_t> ticks;
  core::ClockSnapshot at;
};

/// One reading, not retried. The caller must know by tsc_usable() that the counter may be read.
[[nodiscard]] CounterAndClocks read_counter_and_clocks(bool with_counter);

/// Why the counter cannot serve as a clock on this machine, else success: not x86, no constant_tsc among the flags of
/// `root`/proc/cpuinfo, or forbidden to this process (prctl(2), PR_SET_TSC).
[[nodiscard]] core::Status tsc_usable(const std::string& root = {});

/// Whether the kernel trusts it across all CPUs: a counter found unstable is no longer among the clocksources of
/// `root`/sys/devices/system/clocksource. True where that list cannot be read.
[[nodiscard]] bool tsc_held_stable(const std::string& root = {});

/// The hypervisor's signature (CPUID leaf 0x40000000: "KVMKVMKVM", "TCGTCGTCGTCG"), empty on bare metal.
[[nodiscard]] std::string hypervisor_signature();

}  // namespace clockmend::os
