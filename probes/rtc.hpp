// The RTC as a witness: it runs on while the VM is frozen. Edge-bracketing, explained in README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/rtc.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "agent/core/probe.hpp"
#include "probes/raw_alarm.hpp"
#include "probes/rtc_edge_model.hpp"

namespace clockmend::probes {

class RtcProbe final : public core::Probe {
 public:
  RtcProbe(core::Rtc& rtc, core::Scheduler& scheduler, core::ClockReader& clock);

  [[nodiscard]] std::string_view name() const override { return "rtc"; }
  void start(core::ObservationSink sink) override;
  /// A coarse reading (+-0.5 s) from one read at once, the fine one within about a second, after an edge search.
  void measure_now() override;
  void own_change(const core::OwnChange& change) override;
  [[nodiscard]] core::ProbeHealth health() const override;

  /// For the wiring, from DeviceSource events of the rtc subsystem.
  void device_appeared();
  void device_gone();

 private:
  /// What the next read is for, while no search runs.
  enum class Task { before_edge, slot, retry };
  /// Where the narrowing read goes: into the middle of the possible phases, or just outside to see them confirmed.
  enum class Slot { middle, below, above };

  struct Search {
    core::RtcSecond last;  // newest read; its second is the old one
    core::RawPoint begun;
    unsigned wide_edges = 0;  // edges found, but with too wide a bracket
    unsigned restarts = 0;
    bool asked = false;  // measure_now() waits for the answer
  };

  /// How the edge found compares with the prediction.
  struct Movement {
    bool moved = false;
    std::optional<std::string> baseline_void;  // it was written: why we think so
  };

  // Watching (rtc.cpp).
  void wake();
  void watch(const core::RtcSecond& read);
  void before_edge_seen(bool proof);
  void slot_seen(const core::RtcSecond& read);
  void contradicted(const core::RtcSecond& read, const EdgeVerdict& verdict);
  [[nodiscard]] core::RawPoint slot_position() const;
  void arm_next();

  // Searching, settling, telling (rtc_search.cpp). Emitting comes last everywhere: the sink may call back into us.
  void begin_search(const core::RtcSecond& first, bool asked);
  void poll(const core::RtcSecond& read);
  void edge_found(const core::RtcSecond& read);
  void search_again(const core::RtcSecond& read, const EdgeSpan& span, unsigned wide_edges, bool asked);
  [[nodiscard]] Movement compare(const RtcEdgeModel& fresh, const core::ClockSnapshot& at) const;
  void emit(core::Observation observation);
  void emit_coarse(const core::RtcSecond& read);
  void emit_reading(const RtcEdgeModel& model, const core::ClockSnapshot& at, std::string_view how);
  void failed(const core::Error& error);
  void degrade(std::string why);

  core::Rtc& rtc_;
  core::ClockReader& clock_;
  RawAlarm alarm_;
  core::ObservationSink sink_;

  Task task_ = Task::retry;
  std::optional<Search> search_;
  std::optional<RtcEdgeModel> model_;       // kept during a search, to compare with what is found
  core::nanoseconds realtime_minus_raw_{};  // when the model last held
  core::seconds second_{};                  // whose edge is watched now
  core::nanoseconds guard_;
  std::uint64_t seconds_watched_ = 0;
  std::uint64_t slots_ = 0;
  Slot slot_ = Slot::middle;
  bool slot_next_second_ = false;  // a slip must be looked into at once
  unsigned slips_ = 0;             // in a row
  bool bracketed_ = false;         // the last before-read was evidence
  bool own_write_ = false;         // the search under way is to see our own write
  bool aligned_ = false;           // our own write was read back and nothing moved since
  bool device_changed_ = false;

  core::ProbeState state_ = core::ProbeState::off;
  std::string why_ = "not started";
  unsigned failures_ = 0;  // in a row
  core::seconds backoff_;
  std::optional<core::OffsetReading> last_;
};

}  // namespace clockmend::probes
