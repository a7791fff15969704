// The devices of a guest that tell of the world outside, beside RTC and network.
#pragma once

#include "tests/fakes/fake_kernel_log.hpp"
#include "tests/fakes/fake_phc.hpp"
#include "tests/fakes/fake_tsc.hpp"
#include "tests/fakes/fake_vmclock.hpp"
#include "tests/simulation/clock_rules.hpp"

namespace clockmend::sim {

struct DeviceSpec {
  /// sysfs clock_name of a PTP clock ("KVM virtual PTP", "vmclock0", ...); empty: none.
  std::string ptp;
  core::nanoseconds ptp_ahead{};  // TAI: 37 s
  bool vmclock = false;           // the marker's page
  bool vmclock_time = false;      // with a time in it
  bool vmclock_notifies = false;
  bool tsc = false;  // a constant one that user space may read
  bool vmgenid = false;
};

/// They follow the true time and the host's error, whatever the guest's clocks do.
struct Devices {
  Devices(fakes::FakeClock& clock, const DeviceSpec& spec, Clocksource source);
  void host_error(core::nanoseconds error);
  void event(VmEvent event, const Counted& c, core::nanoseconds gap);

  DeviceSpec spec;
  fakes::FakePhcCatalogue phcs;
  fakes::FakeTsc tsc;
  fakes::FakeVmclock vmclock;
  fakes::FakeKernelLog kernel_log;
};

}  // namespace clockmend::sim
