// What a hypervisor offers besides RTC and channel: PTP clock, vmclock page, TSC, the kernel's line about a new generation.
#pragma once

#include <asio/io_context.hpp>

#include "agent/app/pipeline.hpp"
#include "agent/core/ports/watches.hpp"
#include "agent/core/settings.hpp"
#include "agent/os/kernel_log.hpp"
#include "agent/os/phc_catalogue.hpp"
#include "agent/os/tsc_reader.hpp"
#include "agent/os/vmclock_device.hpp"
#include "probes/ptp.hpp"
#include "probes/tsc.hpp"
#include "probes/vmclock.hpp"
#include "probes/vmgenid.hpp"

namespace clockmend::app {

class HypervisorClocks {
 public:
  HypervisorClocks(asio::io_context& io, core::ClockReader& clock, core::Scheduler& scheduler, const core::Settings& settings,
                   const std::string& root);

  /// Those that the configuration leaves on.
  void add_to(Pipeline& pipeline);
  /// A reload changes the PTP clocks allowed; the others are switched by a restart.
  void configure(const core::Settings& settings);
  void device(const core::DeviceEvent& event);

 private:
  core::Settings settings_;
  os::LinuxPhcCatalogue phcs_;
  os::VmclockDevice page_;
  os::LinuxTsc counter_;
  os::KmsgLog kernel_log_;
  probes::PtpProbe ptp_;
  probes::VmclockProbe vmclock_;
  probes::TscProbe tsc_;
  probes::VmgenidProbe vmgenid_;
};

}  // namespace clockmend::app
