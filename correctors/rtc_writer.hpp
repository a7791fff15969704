// Writes the RTC so that its second edge falls on ours, and reads back that it does.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/core/offset.hpp"
#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/rtc.hpp"
#include "agent/core/ports/scheduler.hpp"

namespace clockmend::correctors {

struct RtcWriteResult {
  bool ok = false;
  bool written = false;  // the device took a write, even if the proof failed
  /// "written", "written; the device keeps its own second edge, ...", "written; the read-back came too late ..." or "failed: why"
  std::string detail;
  bool aligned = false;  // its second edge was seen to lie on ours, to some 100 ms
};

class RtcWriter {
 public:
  RtcWriter(core::Rtc& rtc, core::ClockReader& clock, core::Scheduler& scheduler);
  ~RtcWriter();
  RtcWriter(const RtcWriter&) = delete;
  RtcWriter& operator=(const RtcWriter&) = delete;

  /// One write at a time: a second call while one runs ends the first with "cancelled". `done` is called exactly once,
  /// never from inside write(), at most about 3 s later.
  /// `expected`: where the RTC lies against REALTIME; one that is found ahead of that is not written.
  void write(std::function<void(const RtcWriteResult&)> done, std::optional<core::OffsetInterval> expected = {});

  /// Called right after the device took a write, before the read-back (half a second or more): the RTC probe must hear
  /// of it by then, or it takes the moved edge for somebody else's doing.
  void on_written(std::function<void()> call) { on_written_ = std::move(call); }

 private:
  struct Job;
  core::Rtc& rtc_;
  core::ClockReader& clock_;
  core::Scheduler& scheduler_;
  std::function<void()> on_written_;
  std::unique_ptr<Job> job_;
};

}  // namespace clockmend::correctors
