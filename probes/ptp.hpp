// The hypervisor's PTP clock as a witness: it runs on while the VM is frozen. Explained in README.md.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/phc.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "agent/core/probe.hpp"
#include "agent/core/settings.hpp"
#include "probes/ptp_candidates.hpp"
#include "probes/ptp_rate.hpp"

namespace clockmend::probes {

class PtpProbe final : public core::Probe {
 public:
  PtpProbe(core::PhcCatalogue& catalogue, core::Scheduler& scheduler, core::ClockReader& clock, core::PtpSettings settings,
           core::nanoseconds poll_interval);

  [[nodiscard]] std::string_view name() const override { return "ptp"; }
  void start(core::ObservationSink sink) override;
  /// Answers before it returns.
  void measure_now() override;
  /// Nothing: the clock is compared with MONOTONIC_RAW, which our steps do not move.
  void own_change(const core::OwnChange& change) override;
  [[nodiscard]] core::ProbeHealth health() const override;

  /// Another configuration: the clock in use is kept if that still means the same to it.
  void configure(core::PtpSettings settings);
  /// For the wiring, from DeviceSource events of the ptp subsystem. `node`: whose; empty: not known.
  void device_appeared(std::string_view node = {});
  void device_gone();

 private:
  struct Held {
    core::PhcDevice device;
    PtpKind kind;
    std::unique_ptr<core::Phc> phc;
    bool silent = false;  // until its rate is learned
    bool learned = false;
    unsigned failures = 0;                        // in a row
    std::optional<core::nanoseconds> tai_offset;  // subtracted; decided once
    PtpRate rate;
    std::optional<PtpPoint> told;  // what was last emitted
    core::nanoseconds bracket{};   // of the last reading
  };
  /// What to say after a reading.
  enum class Word { none, reading, disruption, failure };

  // Choosing (ptp.cpp).
  void begin();
  void look();
  bool open_best();
  void look_soon();
  void arm_tick();
  void lost(std::string why);
  void put_aside(std::string why, std::optional<core::nanoseconds> pause);
  [[nodiscard]] bool better_one_there();

  // Reading (ptp_reading.cpp). Emitting comes last everywhere: the sink may call back into us.
  void tick();
  void observe(bool asked);
  void failed(const core::Error& error, bool asked);
  void gone(const std::string& why);
  void judge(const core::PhcReading& reading, bool asked);
  [[nodiscard]] std::optional<std::string> decide_scale(const core::PhcReading& reading);
  /// Asked of each reading until the rate is learned or while it is in doubt, else with the baseline.
  [[nodiscard]] bool rate_is_wrong(bool due);
  [[nodiscard]] Word choose(const PtpPoint& point, bool asked);
  [[nodiscard]] const char* reason_for_silence() const;
  void refresh_scale();
  void tell(const core::PhcReading& reading, const PtpPoint& point);
  void warn(const PtpPoint& point);
  void reject(bool asked);
  [[nodiscard]] core::OffsetReading offset_reading(const core::PhcReading& reading) const;
  void emit(core::Observation observation);
  void emit_failure(const std::string& why);

  core::PhcCatalogue& catalogue_;
  core::Scheduler& scheduler_;
  core::ClockReader& clock_;
  core::PtpSettings settings_;
  core::nanoseconds period_;
  core::ObservationSink sink_;
  core::TimerHandle timer_;

  PtpCandidates candidates_;
  std::optional<Held> held_;
  std::optional<std::string> baseline_void_;  // said before the next reading
  bool spoke_ = false;                        // a reading was emitted since the last BaselineVoid
  std::optional<std::string> lost_why_;       // until a clock is there again
  core::nanoseconds empty_backoff_{};         // while there is none
  /// What was decided of a clock's scale, by clock_name, while REALTIME was at hand to compare with.
  std::map<std::string, core::nanoseconds, std::less<>> scales_;

  core::ProbeState state_ = core::ProbeState::off;
  std::string why_ = "not started";
  std::optional<core::OffsetReading> last_;
};

}  // namespace clockmend::probes
