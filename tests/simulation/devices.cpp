#include "tests/simulation/devices.hpp"

namespace clockmend::sim {

Devices::Devices(fakes::FakeClock& clock, const DeviceSpec& s, Clocksource source) : spec(s), phcs(clock), tsc(clock), vmclock(clock) {
  if (!spec.ptp.empty()) phcs.add("/dev/ptp0", spec.ptp).ahead = spec.ptp_ahead;
  vmclock.there = spec.vmclock || spec.vmclock_time;
  vmclock.notifies = spec.vmclock_notifies;
  if (spec.vmclock_time) vmclock.tell_time();
  vmclock.page.vm_generation_counter = 1;
  tsc.emulator = source == Clocksource::tcg;
  if (!spec.tsc) tsc.error = core::Error{core::ErrorCode::unsupported, "no constant_tsc"};
  if (!spec.vmgenid) kernel_log.error = core::Error{core::ErrorCode::not_permitted, "/dev/kmsg: Operation not permitted"};
}

void Devices::host_error(core::nanoseconds error) {
  for (const auto& phc : phcs.devices) phc->ahead = spec.ptp_ahead + error;
  vmclock.host_error = error;
}

void Devices::event(VmEvent e, const Counted& c, core::nanoseconds gap) {
  if (!c.tsc) tsc.lose(gap);
  if (!new_process(e)) return;
  ++vmclock.page.disruption_marker;
  if (e == VmEvent::loadvm) ++*vmclock.page.vm_generation_counter;
  vmclock.changed();
  if (spec.vmgenid) kernel_log.line("random: crng reseeded due to virtual machine fork");
}

}  // namespace clockmend::sim
