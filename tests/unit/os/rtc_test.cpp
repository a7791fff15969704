// The RTC: dates, UTC and local time, finding the device, being refused to write.
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <optional>

#include "agent/os/clock_reader.hpp"
#include "agent/os/rtc_device.hpp"
#include "agent/os/rtc_since_epoch.hpp"
#include "agent/os/rtc_time.hpp"
#include "tests/fakes/temp_dir.hpp"

namespace clockmend::os {
namespace {

using core::RtcMode;
using core::seconds;

class Zone {
 public:
  explicit Zone(const char* name) {
    if (const char* old = ::getenv("TZ")) old_ = old;
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  ~Zone() {
    if (old_) {
      ::setenv("TZ", old_->c_str(), 1);
    } else {
      ::unsetenv("TZ");
    }
    ::tzset();
  }

 private:
  std::optional<std::string> old_;
};

constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";  // POSIX form: no zone files needed

rtc_time fields(int year, int month, int day, int hour, int minute, int second) {
  rtc_time value{};
  value.tm_year = year - 1900;
  value.tm_mon = month - 1;
  value.tm_mday = day;
  value.tm_hour = hour;
  value.tm_min = minute;
  value.tm_sec = second;
  return value;
}

TEST(RtcTime, UtcBothWays) {
  const auto at = seconds_from_rtc(fields(2026, 11, 23, 3, 0, 1), RtcMode::utc, seconds{0});
  ASSERT_TRUE(at.ok());
  EXPECT_EQ(*at, seconds{1795402801});
  const auto back = seconds_to_rtc(*at, RtcMode::utc);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->tm_year, 126);
  EXPECT_EQ(back->tm_mon, 10);
  EXPECT_EQ(back->tm_sec, 1);
}

TEST(RtcTime, LocalTimeFollowsTheZone) {
  const Zone zone{kBerlin};
  const auto winter = seconds_from_rtc(fields(2026, 1, 15, 12, 0, 0), RtcMode::local, seconds{0});
  const auto summer = seconds_from_rtc(fields(2026, 7, 15, 12, 0, 0), RtcMode::local, seconds{0});
  ASSERT_TRUE(winter.ok() && summer.ok());
  EXPECT_EQ(*winter, seconds{1768474800});  // 11:00 UTC
  EXPECT_EQ(*summer, seconds{1784109600});  // 10:00 UTC
  const auto back = seconds_to_rtc(*summer, RtcMode::local);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->tm_hour, 12);
}

TEST(RtcTime, TheHourThatExistsTwiceIsTheOneNearTheClock) {
  const Zone zone{kBerlin};
  // 2026-10-25: 03:00 CEST becomes 02:00 CET, so 02:30 exists at 00:30 UTC and at 01:30 UTC.
  const seconds first{1792888200};
  const seconds second{1792891800};
  const auto value = fields(2026, 10, 25, 2, 30, 0);
  EXPECT_EQ(*seconds_from_rtc(value, RtcMode::local, first + seconds{40}), first);
  EXPECT_EQ(*seconds_from_rtc(value, RtcMode::local, second - seconds{40}), second);
}

TEST(RtcTime, RejectsNonsense) {
  const rtc_time rows[] = {fields(1970, 1, 1, 0, 0, 0),  fields(1999, 12, 31, 23, 59, 59), fields(2099, 1, 1, 0, 0, 0),
                           fields(2026, 6, 31, 0, 0, 0), fields(2026, 13, 1, 0, 0, 0),     fields(2026, 1, 1, 24, 0, 0)};
  for (const rtc_time& row : rows) {
    const auto at = seconds_from_rtc(row, RtcMode::utc, seconds{0});
    ASSERT_FALSE(at.ok());
    EXPECT_EQ(at.error().code, core::ErrorCode::invalid);
  }
  EXPECT_FALSE(seconds_to_rtc(seconds{0}, RtcMode::utc).ok());
  EXPECT_FALSE(seconds_to_rtc(seconds{1LL << 60}, RtcMode::utc).ok());
}

TEST(RtcMode, IsLineThreeOfAdjtime) {
  EXPECT_EQ(rtc_mode_of(""), RtcMode::utc);
  EXPECT_EQ(rtc_mode_of("0.0 0 0.0\n0\nUTC\n"), RtcMode::utc);
  EXPECT_EQ(rtc_mode_of("0.0 0 0.0\n0\nLOCAL\n"), RtcMode::local);
  EXPECT_EQ(rtc_mode_of("0.0 0 0.0\n0\nLOCAL"), RtcMode::local);
  EXPECT_EQ(rtc_mode_of("0.0 0 0.0\n0\nLOCAL \r\n"), RtcMode::local);
  EXPECT_EQ(rtc_mode_of("LOCAL\n"), RtcMode::utc);
}

TEST(RtcMode, FollowsTheFile) {
  const fakes::TempDir tree;
  const RtcModeFile file{tree.path()};
  EXPECT_EQ(file.mode(), RtcMode::utc);
  tree.put("/etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n");
  EXPECT_EQ(file.mode(), RtcMode::local);
  EXPECT_EQ(file.mode(), RtcMode::local);
  std::filesystem::remove(tree.path() + "/etc/adjtime");
  EXPECT_EQ(file.mode(), RtcMode::utc);
}

TEST(LinuxRtc, WithoutADeviceSaysSo) {
  const fakes::TempDir tree;
  LinuxClockReader clocks;
  LinuxRtc rtc{{tree.path(), ""}, clocks};
  EXPECT_FALSE(rtc.present());
  const auto second = rtc.read();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, core::ErrorCode::not_found);
  EXPECT_EQ(rtc.write(seconds{1795402801}).error().code, core::ErrorCode::not_found);
  EXPECT_EQ(rtc.describe(), "no RTC device");
}

TEST(LinuxRtc, FindsTheDeviceThatSysfsNames) {
  const fakes::TempDir tree;
  tree.put("/dev/rtc0", "");  // not an RTC: the ioctl will say so
  tree.put("/sys/class/rtc/rtc0/name", "rtc_cmos 00:04\n");
  LinuxClockReader clocks;
  LinuxRtc rtc{{tree.path(), ""}, clocks};
  EXPECT_TRUE(rtc.present());
  EXPECT_EQ(rtc.describe(), "/dev/rtc0 (rtc_cmos 00:04)");
  EXPECT_EQ(rtc.first_edge_after_write(), core::milliseconds{500});
  const auto second = rtc.read();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, core::ErrorCode::unsupported) << second.error().text;
  EXPECT_NE(second.error().text.find("/dev/rtc0"), std::string::npos);
}

TEST(LinuxRtc, OtherChipsTickAWholeSecondAfterTheWrite) {
  const fakes::TempDir tree;
  tree.put("/dev/rtc0", "");
  tree.put("/sys/class/rtc/rtc0/name", "rtc-pl031 9010000.pl031\n");
  LinuxClockReader clocks;
  const LinuxRtc rtc{{tree.path(), ""}, clocks};
  EXPECT_EQ(rtc.first_edge_after_write(), core::milliseconds{1000});
}

TEST(LinuxRtc, TheLinkResolvesToTheDeviceBehindIt) {
  const fakes::TempDir tree;
  tree.put("/dev/rtc1", "");
  std::filesystem::create_symlink("rtc1", tree.path() + "/dev/rtc");
  tree.put("/sys/class/rtc/rtc0/name", "rtc-other\n");
  tree.put("/sys/class/rtc/rtc1/name", "rtc_cmos\n");
  LinuxClockReader clocks;
  const LinuxRtc rtc{{tree.path(), ""}, clocks};
  EXPECT_EQ(rtc.describe(), "/dev/rtc1 (rtc_cmos)");
}

TEST(RtcSinceEpoch, ReadsTheFileAnewEachTime) {
  const fakes::TempDir tree;
  tree.put("/sys/class/rtc/rtc0/since_epoch", "1795402801\n");
  RtcSinceEpoch file;
  EXPECT_FALSE(file.is_open());
  file.open(tree.path(), "rtc0");
  ASSERT_TRUE(file.is_open());
  const auto value = file.read();
  ASSERT_TRUE(value.ok()) << value.error().text;
  EXPECT_EQ(*seconds_from_rtc(*value, RtcMode::utc, seconds{0}), seconds{1795402801});
  tree.put("/sys/class/rtc/rtc0/since_epoch", "1795402802\n");
  EXPECT_EQ(*seconds_from_rtc(*file.read(), RtcMode::utc, seconds{0}), seconds{1795402802});
}

TEST(RtcSinceEpoch, NonsenseIsAnError) {
  const fakes::TempDir tree;
  RtcSinceEpoch file;
  file.open(tree.path(), "rtc0");
  EXPECT_FALSE(file.is_open()) << "no such file: the device is used";
  for (const char* text : {"", "\n", "x\n", "12x\n", "99999999999999999999999999\n", "9223372036854775807\n"}) {
    tree.put("/sys/class/rtc/rtc1/since_epoch", text);
    RtcSinceEpoch other;
    other.open(tree.path(), "rtc1");
    const auto value = other.read();
    ASSERT_FALSE(value.ok()) << text;
    EXPECT_EQ(value.error().code, core::ErrorCode::invalid) << text;
  }
  tree.put("/sys/class/rtc/rtc1/since_epoch", "0\n");
  RtcSinceEpoch dead;
  dead.open(tree.path(), "rtc1");
  EXPECT_FALSE(seconds_from_rtc(*dead.read(), RtcMode::utc, seconds{0}).ok()) << "1970 is no time";
}

// On the machine that runs the tests, and only where the kernel must refuse it.
TEST(LinuxRtc, WritingIsRefusedHere) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  ASSERT_EQ(::syscall(SYS_capget, &header, data), 0);
  if ((data[CAP_TO_INDEX(CAP_SYS_TIME)].effective & CAP_TO_MASK(CAP_SYS_TIME)) != 0) {
    GTEST_SKIP() << "this process may set the RTC, so the test does not try; run it by tests/run.sh";
  }
  LinuxClockReader clocks;
  LinuxRtc rtc{{}, clocks};
  const auto second = rtc.read();
  const auto written = rtc.write(second ? second->utc : seconds{1795402801});
  ASSERT_FALSE(written.ok());
  const auto expected = second ? core::ErrorCode::not_permitted : second.error().code;  // without an RTC: the same reason as reading
  EXPECT_EQ(written.error().code, expected) << written.error().text;
}

}  // namespace
}  // namespace clockmend::os
