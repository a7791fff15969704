// An MC146818 as QEMU emulates it: it follows the true time with a phase of its own, whatever the guest's clocks do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/core/ports/rtc.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace clockmend::fakes {

class FakeRtc final : public core::Rtc {
 public:
  /// `phase`: RTC time - true time; QEMU's is anywhere within a second.
  explicit FakeRtc(FakeClock& clock, core::nanoseconds phase = {}) : clock_(clock), phase_(phase), since_(clock.truth()) {}

  /// The RTC's own time now, with its fraction.
  [[nodiscard]] core::nanoseconds time() const {
    const core::nanoseconds age = clock_.truth() - since_;
    return clock_.truth().time_since_epoch() + phase_ + core::nanoseconds{age.count() / 1'000'000 * drift_ppm};
  }
  /// RTC time - REALTIME: what a perfect reading would report.
  [[nodiscard]] core::nanoseconds offset() const { return time() - clock_.snapshot().realtime.time_since_epoch(); }
  /// Somebody moves it: a write, another host after a migration, another device.
  void shift(core::nanoseconds by) { phase_ += by; }

  core::Result<core::RtcSecond> read() override {
    ++reads;
    if (!there) return core::Error{core::ErrorCode::not_found, "no RTC"};
    if (error) return *error;
    core::RtcSecond result;
    result.before = clock_.snapshot();
    clock_.advance(read_cost / 2);
    wait_for_update();
    result.utc = std::chrono::floor<core::seconds>(stopped ? stopped_at_ : time());
    clock_.advance(read_cost / 2);
    result.after = clock_.snapshot();
    return result;
  }
  core::Status write(core::seconds utc) override {
    if (write_error) return *write_error;
    if (!there) return core::Error{core::ErrorCode::not_found, "no RTC"};
    writes.push_back({utc, clock_.snapshot()});
    clock_.advance(write_cost);
    if (keeps_phase) {
      phase_ += utc - std::chrono::floor<core::seconds>(time());
      return core::success();
    }
    // Writing restarts the divider: whatever was the fraction, the next edge comes after first_edge.
    phase_ += utc + core::seconds{1} - first_edge + write_error_by - time();
    return core::success();
  }
  [[nodiscard]] core::milliseconds first_edge_after_write() const override { return first_edge; }
  [[nodiscard]] core::RtcMode mode() const override { return core::RtcMode::utc; }
  [[nodiscard]] std::string describe() const override { return there ? "/dev/rtc0 (fake)" : "no RTC device"; }
  [[nodiscard]] bool present() const override { return there; }

  void stop() {
    stopped_at_ = time();
    stopped = true;
  }

  struct Write {
    core::seconds utc;
    core::ClockSnapshot at;
  };

  // What the test may set freely.
  bool there = true;
  bool stopped = false;              // reads always give the second of stop()
  std::optional<core::Error> error;  // every read fails
  std::optional<core::Error> write_error;
  long drift_ppm = 0;                                   // positive: runs fast
  core::nanoseconds read_cost{core::microseconds{41}};  // measured under TCG
  core::nanoseconds write_cost{core::microseconds{60}};
  core::nanoseconds uip{};             // a read so shortly before an edge ...
  core::nanoseconds uip_wait{};        // ... waits for it and so much longer
  core::milliseconds first_edge{500};  // rtc-cmos
  bool keeps_phase = false;            // a write sets the second and leaves the edge (rtc-cmos on AMD processors)
  core::nanoseconds write_error_by{};  // a device whose edge after a write is elsewhere
  // What happened.
  unsigned reads = 0;
  std::vector<Write> writes;

 private:
  void wait_for_update() {
    const core::nanoseconds left = std::chrono::floor<core::seconds>(time()) + core::seconds{1} - time();
    if (left <= uip) clock_.advance(left + uip_wait);
  }

  FakeClock& clock_;
  core::nanoseconds phase_;
  core::RealtimePoint since_;
  core::nanoseconds stopped_at_{};
};

}  // namespace clockmend::fakes
