#include "probes/vmgenid.hpp"

#include <utility>

namespace clockmend::probes {
namespace {

/// The whole line, with and without the driver's prefix: other kernel lines quote texts that devices and processes chose (a USB
/// product name, a command's name), so a part of a line proves nothing.
constexpr std::string_view kFork = "crng reseeded due to virtual machine fork";
constexpr std::string_view kPrefix = "random: ";

}  // namespace

void VmgenidProbe::start(core::ObservationSink sink) {
  sink_ = std::move(sink);
  const core::Status reading = log_.start([this](std::string_view text) { line(text); },
                                          [this](const core::Error& why) {
                                            state_ = core::ProbeState::degraded;
                                            why_ = "the kernel log cannot be read any more: " + why.text;
                                          });
  if (reading) {
    state_ = core::ProbeState::running;
    why_ = "watching the kernel log for a VM fork";
    return;
  }
  why_ = reading.error().text;
  if (reading.error().code == core::ErrorCode::not_permitted) {
    why_ += " (needs a unit with DeviceAllow=/dev/kmsg r, without ProtectKernelLogs, with CAP_SYSLOG where kernel.dmesg_restrict is 1)";
  }
}

void VmgenidProbe::line(std::string_view text) {
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  if (text != kFork) return;
  ++forks_;
  core::Disruption d;
  d.tripwire = core::Tripwire::vmgenid;
  d.moved = true;
  d.why = "kernel log: " + std::string(text);
  sink_(std::move(d));
}

core::ProbeHealth VmgenidProbe::health() const {
  std::string text = why_;
  if (state_ == core::ProbeState::running && !device_) text += "; no vmgenid device known (its driver came with Linux 5.18)";
  if (forks_ > 0) text += "; seen " + std::to_string(forks_) + " times";
  if (const auto lost = log_.overruns(); lost > 0) text += "; lines were lost " + std::to_string(lost) + " times";
  return {state_, std::move(text), {}};
}

}  // namespace clockmend::probes
