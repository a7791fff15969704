// The kernel's own word that this VM was cloned or restored: one line in its log.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/ports/kernel_log.hpp"
#include "agent/core/probe.hpp"

namespace clockmend::probes {

/// The vmgenid driver tells the random number generator of a new generation (drivers/virt/vmgenid.c, drivers/char/random.c;
/// Linux 5.18 and later), which logs a line; user space gets no other sign. No timer; off where the log may not be read.
class VmgenidProbe final : public core::Probe {
 public:
  explicit VmgenidProbe(core::KernelLog& log) : log_(log) {}

  [[nodiscard]] std::string_view name() const override { return "vmgenid"; }
  void start(core::ObservationSink sink) override;
  /// A tripwire has nothing to answer.
  void measure_now() override {}
  void own_change(const core::OwnChange&) override {}
  [[nodiscard]] core::ProbeHealth health() const override;

  /// For the wiring, from DeviceSource events of vmgenid devices; told in health() only.
  void device_appeared() { device_ = true; }
  void device_gone() { device_ = false; }

 private:
  void line(std::string_view text);

  core::KernelLog& log_;
  core::ObservationSink sink_;
  bool device_ = false;
  unsigned forks_ = 0;
  core::ProbeState state_ = core::ProbeState::off;
  std::string why_ = "not started";
};

}  // namespace clockmend::probes
