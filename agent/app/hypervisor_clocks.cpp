#include "agent/app/hypervisor_clocks.hpp"

namespace clockmend::app {
HypervisorClocks::HypervisorClocks(asio::io_context& io, core::ClockReader& clock, core::Scheduler& scheduler,
                                   const core::Settings& settings, const std::string& root)
    : settings_(settings),
      phcs_(root),
      page_(io, settings.vmclock.device, root),
      counter_(root),
      kernel_log_(io, root + "/dev/kmsg"),
      ptp_(phcs_, scheduler, clock, settings.ptp, settings.poll_interval),
      vmclock_(page_, scheduler, settings.poll_interval),
      tsc_(counter_, clock, scheduler, settings.poll_interval),
      vmgenid_(kernel_log_) {}

void HypervisorClocks::add_to(Pipeline& pipeline) {
  pipeline.add_probe(ptp_);  // also when disabled: a reload may enable it
  if (settings_.vmclock.enabled) pipeline.add_probe(vmclock_);
  if (settings_.tsc_enabled) pipeline.add_probe(tsc_);
  if (settings_.vmgenid_enabled) pipeline.add_probe(vmgenid_);
}

void HypervisorClocks::configure(const core::Settings& settings) { ptp_.configure(settings.ptp); }

void HypervisorClocks::device(const core::DeviceEvent& event) {
  const bool gone = event.action == core::DeviceAction::remove;
  if (event.subsystem == "ptp") return gone ? ptp_.device_gone() : ptp_.device_appeared(event.devnode);
  if (event.subsystem == "vmclock" && settings_.vmclock.enabled)
    return gone ? vmclock_.device_gone(event.devnode) : vmclock_.device_appeared();
  if (event.subsystem == "vmgenid" && settings_.vmgenid_enabled) return gone ? vmgenid_.device_gone() : vmgenid_.device_appeared();
}

}  // namespace clockmend::app
