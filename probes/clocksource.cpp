#include "probes/clocksource.hpp"

namespace clockmend::probes {

std::string_view pause_visibility(std::string_view clocksource) {
  // hw/i386/kvm/clock.c in QEMU: kvmclock is saved at stop and restored at cont, so it stands still.
  if (clocksource == "kvm-clock") return "stands still while the VM is frozen: the guest's own clocks cannot see it";
  // QEMU writes the TSC back on reset and restore only, hence a plain stop/cont is counted under KVM, not under TCG.
  if (clocksource == "tsc") return "may run on over stop/cont (KVM), stands still over restore and migration";
  if (clocksource == "hpet" || clocksource == "acpi_pm" || clocksource == "jiffies") return "emulated: stands still while the VM is frozen";
  if (clocksource == "arch_sys_counter") return "adjusted by the host so that frozen time is not counted";
  if (clocksource == "xen") return "follows the hypervisor's system time";
  if (clocksource.starts_with("hyperv_clocksource")) return "follows the partition's reference time; Hyper-V may step the clock itself";
  return "unknown: no promise that a freeze can be seen from inside";
}

void ClocksourceProbe::measure_now() {
  const std::string source = clock_.clocksource();
  const bool known = !source.empty() && source != "unknown";
  state_ = known ? core::ProbeState::running : core::ProbeState::degraded;
  why_ = (known ? source : std::string("clocksource unreadable")) + ": " + std::string(pause_visibility(source));
}

}  // namespace clockmend::probes
