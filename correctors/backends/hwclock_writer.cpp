#include "correctors/backends/hwclock_writer.hpp"

#include "agent/core/printable.hpp"
#include "agent/core/rtc_advance.hpp"
#include "correctors/backends/commands.hpp"

namespace clockmend::correctors {
namespace {

/// hwclock waits for the half second, reads and writes: about 1 s. Under a busy TCG more.
constexpr core::milliseconds kDeadline{10000};
/// A whole second without its fraction, and an edge that the device may keep for itself.
constexpr core::seconds kReadBack{2};

}  // namespace

HwclockWriter::HwclockWriter(core::CommandRunner& commands, core::Rtc& rtc, core::ClockReader& clock, core::RtcSettings settings)
    : commands_(commands), rtc_(rtc), clock_(clock), settings_(std::move(settings)) {}

void HwclockWriter::write(std::function<void(const HwclockResult&)> done, std::optional<core::OffsetInterval> expected) {
  if (!rtc_.present()) return done({true, false, false, "skipped: " + rtc_.describe()});
  if (went_ahead(expected)) return done({false, false, true, core::kRtcWentAhead});
  commands_.run_clock_tool(hwclock_command(rtc_.mode(), settings_.device), kDeadline,
                           [this, done = std::move(done), alive = std::weak_ptr<bool>(alive_)](const auto& result) {
                             if (!alive.expired()) done(judge(result));
                           });
}

bool HwclockWriter::went_ahead(const std::optional<core::OffsetInterval>& expected) {
  if (!expected) return false;
  const auto read = rtc_.read();
  return read && core::rtc_went_ahead(*read, core::farthest_rtc(*expected, clock_.snapshot()));
}

HwclockResult HwclockWriter::judge(const core::Result<core::CommandResult>& result) {
  if (!result && result.error().code == core::ErrorCode::not_found)
    return {false, false, false, "failed: " + hwclock_command(rtc_.mode(), {}).front() + " cannot be run: is it installed?"};
  if (!result) return {false, false, false, "failed: hwclock: " + core::printable_ascii(result.error().text)};
  if (result->exit_code != 0)
    return {false, false, false, "failed: hwclock ended with " + std::to_string(result->exit_code) + ": " + last_line(result->output)};
  if (on_written_) on_written_();
  return read_back();
}

HwclockResult HwclockWriter::read_back() {
  const auto read = rtc_.read();
  if (!read) return {false, true, false, "failed: written by hwclock, but the read-back failed: " + read.error().text};
  const core::nanoseconds off = read->utc - clock_.snapshot().realtime.time_since_epoch();
  if (off > kReadBack || off < -kReadBack)
    return {false, true, false,
            "failed: written by hwclock, but the RTC is off by " + std::to_string(std::chrono::round<core::seconds>(off).count()) + " s"};
  return {true, true, false, "written by hwclock " + hwclock_command(rtc_.mode(), {}).back()};
}

}  // namespace clockmend::correctors
