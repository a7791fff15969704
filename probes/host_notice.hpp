// The host speaks: notices that the channel has received, parsed and checked.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/probe.hpp"

namespace clockmend::probes {

/// A tripwire, and a witness when the notice carries an exchange. It cannot be asked: the host speaks first.
class HostNoticeProbe final : public core::Probe {
 public:
  [[nodiscard]] std::string_view name() const override { return "host"; }
  void start(core::ObservationSink sink) override;
  void measure_now() override {}
  void own_change(const core::OwnChange&) override {}
  [[nodiscard]] core::ProbeHealth health() const override { return {state_, why_, last_}; }

  /// The channel's checked notice (fresh, not a repeat, within its rate).
  void deliver(const core::HostNotice& notice);
  /// running: the port is open; degraded: it is not, `why` says what is missing; off: switched off.
  void set_channel_state(core::ProbeState state, std::string why);

 private:
  core::ObservationSink sink_;
  core::ProbeState state_ = core::ProbeState::off;
  std::string why_ = "not started";
  std::optional<core::OffsetReading> last_;
};

}  // namespace clockmend::probes
