// The hypervisor's vmclock page: it tells of migrations and restores, and of the time where it carries one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/ports/scheduler.hpp"
#include "agent/core/ports/vmclock.hpp"
#include "agent/core/probe.hpp"

namespace clockmend::probes {

/// A changed disruption_marker or vm_generation_counter is a Disruption (`moved`); DISRUPTION_SOON or IMMINENT newly set is
/// a DisruptionExpected. With a valid time in the page it is a witness as well. Woken by the page's notification where there
/// is one (then without a timer, or once a second with a time in the page), else by a timer of `poll_interval`.
class VmclockProbe final : public core::Probe {
 public:
  VmclockProbe(core::Vmclock& device, core::Scheduler& scheduler, core::milliseconds poll_interval);

  [[nodiscard]] std::string_view name() const override { return "vmclock"; }
  void start(core::ObservationSink sink) override;
  /// Answers before it returns.
  void measure_now() override;
  /// Nothing: what the page says is compared with RAW, which no step moves.
  void own_change(const core::OwnChange&) override {}
  [[nodiscard]] core::ProbeHealth health() const override;

  /// For the wiring, from DeviceSource events of vmclock devices. An appearance that was known already is ignored, so is the
  /// going of another one than that in use. `node`: whose; empty: not known.
  void device_appeared();
  void device_gone(std::string_view node = {});

 private:
  using Observations = std::vector<core::Observation>;

  /// What the last reading handed out was, to see the next difference.
  struct Told {
    core::nanoseconds utc_minus_raw{};
    core::RawPoint at;
    core::nanoseconds uncertainty{};
    /// The meaning of the page's time; another one makes the baseline worthless.
    std::uint8_t time_type = 0;
    std::int16_t tai_offset_s = 0;
  };

  void notified();
  void look(bool asked);
  void watch();
  void arm();
  [[nodiscard]] core::nanoseconds period() const;  // between two looks
  void open_soon();
  void failed(const core::Error& error, bool asked);
  void see_changes(const core::VmclockPage& page, Observations& out);
  void see_time(const core::VmclockPage& page, bool wanted, bool asked, Observations& out);
  [[nodiscard]] bool believable(core::RawPoint now, bool moved);
  void emit(const Observations& observations);

  core::Vmclock& device_;
  core::Scheduler& scheduler_;
  core::milliseconds poll_interval_;
  core::ObservationSink sink_;
  core::TimerHandle timer_;

  std::optional<core::VmclockPage> page_;  // the last one read
  std::optional<Told> told_;
  std::optional<core::OffsetReading> last_;
  std::string no_time_;   // why the page cannot serve as witness; empty: it can
  unsigned changes_ = 0;  // of the time against RAW, in a row
  std::optional<core::RawPoint> distrusted_until_;

  bool watching_ = false;   // a notification is awaited
  bool may_notify_ = true;  // until the device says that it cannot
  core::MonotonicPoint burst_begin_{};
  unsigned burst_ = 0;

  core::ProbeState state_ = core::ProbeState::off;
  std::string why_ = "not started";
  unsigned failures_ = 0;  // in a row
};

}  // namespace clockmend::probes
