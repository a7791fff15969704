// A vmclock device: a page that tells the true time if the test wants it to, by a counter of its own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "agent/core/ports/vmclock.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace clockmend::fakes {

class FakeVmclock final : public core::Vmclock {
 public:
  explicit FakeVmclock(FakeClock& clock) : clock_(clock) {}

  core::Result<core::VmclockPage> read() override {
    ++reads;
    if (!there) return core::Error{core::ErrorCode::not_found, "/dev/vmclock0: No such file or directory"};
    if (error) return *error;
    core::VmclockPage copy = page;
    copy.at = clock_.snapshot();
    copy.at.bracket += bracket;
    if (tells_time) set_time(copy);
    return copy;
  }
  core::Status watch(std::function<void()> on_change) override {
    ++watches;
    if (!there) return core::Error{core::ErrorCode::not_found, "no device"};
    if (!notifies) return core::Error{core::ErrorCode::unsupported, "no notification"};
    on_change_ = std::move(on_change);
    return core::success();
  }
  void reopen() override {
    ++reopened;
    on_change_ = nullptr;
  }
  [[nodiscard]] bool present() const override { return there; }
  [[nodiscard]] std::string describe() const override { return node; }

  /// The hypervisor changed the page: whoever watches is called, once.
  void changed() {
    page.seq_count += 2;
    const auto call = std::exchange(on_change_, nullptr);
    if (call) call();
  }
  [[nodiscard]] bool watched() const { return on_change_ != nullptr; }

  /// As an ideal hypervisor would fill it in: TSC, synchronized, UTC, refreshed every second.
  void tell_time() {
    tells_time = true;
    page.counter_id = 1;
    page.clock_status = 2;
    page.has_time = true;
    page.flags |= 1U << 6;
    page.time_maxerror_ns = 50'000;
  }

  // What the test may set freely. The page begins as QEMU 10's: no time.
  bool there = true;
  std::string node = "/dev/vmclock0";
  bool notifies = false;
  bool tells_time = false;
  std::optional<core::Error> error;  // every read fails
  core::VmclockPage page = first_page();
  core::nanoseconds host_error{};  // added to the time told
  double rate = 1.0;               // of the time told, against the true one
  core::nanoseconds bracket{1'000};
  // What happened.
  unsigned reads = 0;
  unsigned watches = 0;
  unsigned reopened = 0;

  static constexpr std::uint64_t kTicksPerSecond = std::uint64_t{1} << 31;  // so that its period is an exact number

 private:
  static core::VmclockPage first_page() {
    core::VmclockPage p;
    p.seq_count = 2;
    p.disruption_marker = 1;
    return p;
  }
  /// The page's instant is the last whole second of the true time; the counter counts the true time.
  void set_time(core::VmclockPage& p) const {
    const auto since_start = clock_.truth() - start_;
    const auto told = clock_.truth().time_since_epoch() + host_error +
                      core::nanoseconds{static_cast<core::nanoseconds::rep>(static_cast<double>(since_start.count()) * (rate - 1.0))};
    const auto whole = std::chrono::floor<core::seconds>(told);
    const core::seconds scale{p.time_type == 1 ? -p.tai_offset_s : 0};
    p.time_s = static_cast<std::uint64_t>((whole + scale).count());
    p.time_frac_s = 0;
    p.counter_period_frac_s = std::uint64_t{1} << 33;
    p.period_shift = 0;
    p.counter_value = 1'000'000;
    const auto ticks = static_cast<double>((told - whole).count()) * static_cast<double>(kTicksPerSecond) / 1e9;
    p.counter_now = p.counter_value + static_cast<std::uint64_t>(ticks);
  }

  FakeClock& clock_;
  core::RealtimePoint start_ = clock_.truth();
  std::function<void()> on_change_;
};

}  // namespace clockmend::fakes
