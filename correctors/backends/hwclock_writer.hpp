// hwclock(8) instead of our own write of the RTC.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/core/offset.hpp"
#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/command_runner.hpp"
#include "agent/core/ports/rtc.hpp"
#include "agent/core/settings.hpp"

namespace clockmend::correctors {

struct HwclockResult {
  bool ok = false;
  bool written = false;     // the device may have been changed
  bool went_ahead = false;  // nothing may be written until that is understood
  std::string detail;       // "written by hwclock --utc", "skipped: why", "failed: why"
};

class HwclockWriter {
 public:
  HwclockWriter(core::CommandRunner& commands, core::Rtc& rtc, core::ClockReader& clock, core::RtcSettings settings);

  void configure(core::RtcSettings settings) { settings_ = std::move(settings); }
  /// Whether hwclock is to write the RTC.
  [[nodiscard]] bool chosen() const { return settings_.backend == core::RtcBackend::hwclock; }
  /// Whether the ioctl is to be used where hwclock could not.
  [[nodiscard]] bool may_fall_back() const { return settings_.fallback == core::RtcFallback::ioctl; }

  /// Answers once, within about 10 s; from inside where there is no RTC. Read back by our own look at the device, to the second.
  /// `expected`: where the RTC lies against REALTIME; one that is found ahead of that is not written. A pause in the second after
  /// this look, while hwclock waits for its moment, is not seen here.
  void write(std::function<void(const HwclockResult&)> done, std::optional<core::OffsetInterval> expected = {});
  /// Called when hwclock has ended: it chose the moment of the write itself, within the second before.
  void on_written(std::function<void()> call) { on_written_ = std::move(call); }

 private:
  [[nodiscard]] bool went_ahead(const std::optional<core::OffsetInterval>& expected);
  [[nodiscard]] HwclockResult judge(const core::Result<core::CommandResult>& result);
  [[nodiscard]] HwclockResult read_back();

  core::CommandRunner& commands_;
  core::Rtc& rtc_;
  core::ClockReader& clock_;
  core::RtcSettings settings_;
  std::function<void()> on_written_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace clockmend::correctors
