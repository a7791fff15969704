// The PTP ioctls against a scripted kernel: numbers, layouts, signs, which one is used, how many calls a reading takes.
#include "agent/os/phc_device.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <map>
#include <type_traits>
#include <utility>

#include "agent/core/offset.hpp"

namespace clockmend::os {
namespace {

using namespace std::chrono_literals;
using core::nanoseconds;

// linux/ptp_clock.h, computed by hand: direction << 30 | size << 16 | '=' << 8 | number.
static_assert(PTP_SYS_OFFSET == 0x43403d05);
static_assert(PTP_SYS_OFFSET_PRECISE == 0xc0403d08);
static_assert(PTP_SYS_OFFSET_EXTENDED == 0xc4c03d09);
static_assert(sizeof(ptp_clock_time) == 16 && offsetof(ptp_clock_time, nsec) == 8);
static_assert(std::is_signed_v<decltype(ptp_clock_time::sec)> && std::is_unsigned_v<decltype(ptp_clock_time::nsec)>);
static_assert(sizeof(ptp_sys_offset) == 832 && offsetof(ptp_sys_offset, ts) == 16);
static_assert(sizeof(ptp_sys_offset_extended) == 1216 && offsetof(ptp_sys_offset_extended, ts) == 16);
static_assert(sizeof(ptp_sys_offset_precise) == 64 && offsetof(ptp_sys_offset_precise, sys_realtime) == 16 &&
              offsetof(ptp_sys_offset_precise, sys_monoraw) == 32);

ptp_clock_time ptp_time(nanoseconds t) {
  const auto whole = std::chrono::floor<core::seconds>(t);
  ptp_clock_time result{};
  result.sec = whole.count();
  result.nsec = static_cast<unsigned>((t - whole).count());
  return result;
}

// A kernel whose every look at a clock takes time; the device is `offset` ahead of REALTIME.
struct Kernel {
  nanoseconds realtime{1'700'000'000s};
  nanoseconds offset{};
  nanoseconds look{1us};   // how long reading one clock takes
  nanoseconds way{};       // further time between the ioctl and the reading of the clocks
  unsigned disturbed = 0;  // so many of the first brackets are 1 ms wide
  std::map<unsigned long, int> refused;
  std::map<unsigned long, unsigned> calls;
  unsigned clock_calls = 0;
  unsigned nonsense_nsec = 0;
  nanoseconds set_back{};  // somebody sets the clock right after the ioctl

  [[nodiscard]] nanoseconds raw() const { return realtime - 1'699'999'000s; }

  ptp_clock_time system() {
    realtime += look;
    return ptp_time(realtime);
  }
  ptp_clock_time device() {
    realtime += look;
    if (disturbed > 0) {
      --disturbed;
      realtime += 1ms;
    }
    ptp_clock_time t = ptp_time(realtime + offset);
    if (nonsense_nsec != 0) t.nsec = nonsense_nsec;
    return t;
  }
  int answer(unsigned long request, void* argument) {
    ++calls[request];
    if (const auto found = refused.find(request); found != refused.end()) return found->second;
    if (request == PTP_SYS_OFFSET_PRECISE) {
      auto& data = *static_cast<ptp_sys_offset_precise*>(argument);
      data.device = ptp_time(realtime + offset);
      data.sys_realtime = ptp_time(realtime);
      data.sys_monoraw = ptp_time(raw());
    } else if (request == PTP_SYS_OFFSET_EXTENDED) {
      auto& data = *static_cast<ptp_sys_offset_extended*>(argument);
      EXPECT_TRUE(data.rsv[0] == 0 && data.rsv[1] == 0 && data.rsv[2] == 0) << "reserved words mean things to newer kernels";
      EXPECT_EQ(data.n_samples, kPhcBrackets);
      for (unsigned i = 0; i < data.n_samples; ++i) {
        data.ts[i][0] = system();
        data.ts[i][1] = device();
        data.ts[i][2] = system();
      }
    } else if (request == PTP_SYS_OFFSET) {
      auto& data = *static_cast<ptp_sys_offset*>(argument);
      EXPECT_EQ(data.n_samples, kPhcBrackets);
      for (unsigned i = 0; i < data.n_samples; ++i) {
        data.ts[2 * i] = system();
        data.ts[2 * i + 1] = device();
      }
      data.ts[2 * data.n_samples] = system();
    } else {
      return ENOTTY;
    }
    realtime += way - std::exchange(set_back, nanoseconds{});
    return 0;
  }
  nanoseconds clock(clockid_t id) {
    ++clock_calls;
    realtime += look;
    switch (id) {
      case CLOCK_REALTIME:
        return realtime;
      case CLOCK_MONOTONIC_RAW:
        return raw();
      case CLOCK_MONOTONIC:
        return raw() + 100s;
      case CLOCK_BOOTTIME:
        return raw() + 200s;
      default:
        ADD_FAILURE() << "clock " << id;
        return {};
    }
  }
  PhcCalls ports() {
    return {[this](int, unsigned long request, void* argument) { return answer(request, argument); },
            [this](clockid_t id) { return clock(id); }};
  }
  [[nodiscard]] unsigned total() const {
    unsigned sum = clock_calls;
    for (const auto& [request, n] : calls) sum += n;
    return sum;
  }
  void forget() {
    calls.clear();
    clock_calls = 0;
  }
};

// What the reading says the device is ahead of REALTIME by, and of RAW: both must hold within the stated brackets.
void expect_right(const core::PhcReading& reading, const Kernel& kernel) {
  const nanoseconds offset = reading.phc - reading.at.realtime.time_since_epoch();
  EXPECT_LE(core::magnitude({offset - kernel.offset}), reading.bracket / 2) << offset.count();
  const nanoseconds skew = core::realtime_minus_raw(reading.at) - 1'699'999'000s;
  EXPECT_LE(core::magnitude({skew}), reading.at.bracket) << skew.count();
  EXPECT_LE(core::magnitude({reading.at.monotonic.time_since_epoch() - reading.at.raw.time_since_epoch() - 100s}), reading.at.bracket);
  EXPECT_LE(core::magnitude({core::boottime_minus_monotonic(reading.at) - 100s}), reading.at.bracket);
}

LinuxPhc device(Kernel& kernel) { return {UniqueFd{}, "/dev/ptp0", kernel.ports()}; }

TEST(LinuxPhc, PreciseIsKeptWhereItWorks) {
  Kernel kernel;
  kernel.offset = 2500ms;
  LinuxPhc phc = device(kernel);
  for (int i = 0; i < 3; ++i) {
    kernel.forget();
    const auto reading = phc.read();
    ASSERT_TRUE(reading.ok());
    EXPECT_EQ(reading->samples, 0U);
    EXPECT_EQ(reading->bracket, 0ns);
    expect_right(*reading, kernel);
    EXPECT_EQ(kernel.total(), 5U) << "one ioctl, four clocks";
  }
}

TEST(LinuxPhc, ExtendedTakesTheTightestBracketWithFiveCalls) {
  Kernel kernel;
  kernel.offset = -3s - 250ms;
  kernel.refused[PTP_SYS_OFFSET_PRECISE] = EOPNOTSUPP;
  LinuxPhc phc = device(kernel);
  ASSERT_TRUE(phc.read().ok());
  kernel.forget();
  kernel.disturbed = kPhcBrackets - 1;
  const auto reading = phc.read();
  ASSERT_TRUE(reading.ok());
  EXPECT_EQ(reading->bracket, 2us);
  EXPECT_EQ(reading->samples, kPhcBrackets);
  expect_right(*reading, kernel);
  EXPECT_EQ(kernel.total(), 5U) << "PRECISE is not tried again";
  EXPECT_EQ(kernel.calls[PTP_SYS_OFFSET_EXTENDED], 1U);
}

TEST(LinuxPhc, FallsBackToThePlainIoctl) {
  for (const int number : {EOPNOTSUPP, ENOTTY, EINVAL}) {
    Kernel kernel;
    kernel.offset = 40s;
    kernel.refused[PTP_SYS_OFFSET_PRECISE] = ENODEV;  // clocksource tsc on ptp_kvm; the device is there all the same
    kernel.refused[PTP_SYS_OFFSET_EXTENDED] = number;
    LinuxPhc phc = device(kernel);
    ASSERT_TRUE(phc.read().ok());
    kernel.forget();
    kernel.disturbed = 2;
    const auto reading = phc.read();
    ASSERT_TRUE(reading.ok());
    EXPECT_EQ(reading->bracket, 2us);
    expect_right(*reading, kernel);
    EXPECT_EQ(kernel.total(), 5U);
  }
}

TEST(LinuxPhc, PreciseThatStopsWorkingIsDropped) {
  Kernel kernel;
  LinuxPhc phc = device(kernel);
  ASSERT_TRUE(phc.read().ok());
  kernel.refused[PTP_SYS_OFFSET_PRECISE] = ENODEV;  // the clocksource changed
  const auto reading = phc.read();
  ASSERT_TRUE(reading.ok());
  EXPECT_EQ(reading->samples, kPhcBrackets);
}

TEST(LinuxPhc, ADeviceThatWentIsNotFound) {
  Kernel kernel;
  for (const unsigned long request : {PTP_SYS_OFFSET_PRECISE, PTP_SYS_OFFSET_EXTENDED, PTP_SYS_OFFSET}) kernel.refused[request] = ENODEV;
  LinuxPhc phc = device(kernel);
  const auto reading = phc.read();
  ASSERT_FALSE(reading.ok());
  EXPECT_EQ(reading.error().code, core::ErrorCode::not_found);
  EXPECT_NE(reading.error().text.find("/dev/ptp0: PTP_SYS_OFFSET_EXTENDED"), std::string::npos) << reading.error().text;
}

TEST(LinuxPhc, AnotherErrorIsReportedAndTheMethodKept) {
  Kernel kernel;
  kernel.refused[PTP_SYS_OFFSET_PRECISE] = EOPNOTSUPP;
  LinuxPhc phc = device(kernel);
  ASSERT_TRUE(phc.read().ok());
  kernel.refused[PTP_SYS_OFFSET_EXTENDED] = EIO;
  const auto reading = phc.read();
  ASSERT_FALSE(reading.ok());
  EXPECT_EQ(reading.error().code, core::ErrorCode::io);
  EXPECT_EQ(kernel.calls[PTP_SYS_OFFSET], 0U);
}

TEST(LinuxPhc, PreemptedAfterTheIoctlItReadsOnceMore) {
  Kernel kernel;
  kernel.refused[PTP_SYS_OFFSET_PRECISE] = EOPNOTSUPP;
  LinuxPhc phc = device(kernel);
  ASSERT_TRUE(phc.read().ok());
  kernel.forget();
  kernel.way = 20ms;
  const auto reading = phc.read();
  ASSERT_TRUE(reading.ok());
  EXPECT_EQ(kernel.calls[PTP_SYS_OFFSET_EXTENDED], 2U);
  EXPECT_GE(reading->at.bracket, 20ms) << "and says so";
  expect_right(*reading, kernel);
}

TEST(LinuxPhc, AClockSetMeanwhileIsReadAgain) {
  Kernel kernel;
  kernel.refused[PTP_SYS_OFFSET_PRECISE] = EOPNOTSUPP;
  LinuxPhc phc = device(kernel);
  kernel.set_back = 3s;
  const auto reading = phc.read();
  ASSERT_TRUE(reading.ok()) << reading.error().text;
  EXPECT_LT(reading->at.bracket, 100us);
}

TEST(LinuxPhc, NonsenseIsAnError) {
  Kernel kernel;
  kernel.refused[PTP_SYS_OFFSET_PRECISE] = EOPNOTSUPP;
  kernel.nonsense_nsec = 1'000'000'000;
  LinuxPhc phc = device(kernel);
  const auto reading = phc.read();
  ASSERT_FALSE(reading.ok());
  EXPECT_EQ(reading.error().code, core::ErrorCode::invalid);
}

TEST(FromPtpTime, SecondsAreSignedAndNanosecondsCountForward) {
  struct Row {
    long long sec;
    unsigned nsec;
    nanoseconds expected;
  };
  for (const Row& row : {Row{0, 0, 0ns}, Row{-1, 700'000'000, -300ms}, Row{-1, 0, -1s}, Row{-5, 1, -5s + 1ns},
                         Row{1'800'000'000, 999'999'999, 1'800'000'001s - 1ns}}) {
    ptp_clock_time t{};
    t.sec = row.sec;
    t.nsec = row.nsec;
    const auto value = from_ptp_time(t);
    ASSERT_TRUE(value.ok());
    EXPECT_EQ(*value, row.expected) << row.sec;
  }
  ptp_clock_time far{};
  far.sec = -9'300'000'000;
  EXPECT_FALSE(from_ptp_time(far).ok());
  far.sec = 9'300'000'000;
  EXPECT_FALSE(from_ptp_time(far).ok());
}

TEST(LinuxPhc, ADeviceBefore1970ReadsRight) {
  Kernel kernel;
  kernel.offset = -1'700'000'000s - 700ms;
  kernel.refused[PTP_SYS_OFFSET_PRECISE] = EOPNOTSUPP;
  LinuxPhc phc = device(kernel);
  const auto reading = phc.read();
  ASSERT_TRUE(reading.ok());
  EXPECT_LT(reading->phc, -699ms);
  expect_right(*reading, kernel);
}

}  // namespace
}  // namespace clockmend::os
