#include "agent/os/rtc_time.hpp"

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

namespace clockmend::os {
namespace {

constexpr int kFirstYear = 2000;  // a CMOS clock counts two digits from here
constexpr int kEndYear = 2099;

std::tm to_tm(const rtc_time& value) {
  std::tm t{};
  t.tm_sec = value.tm_sec;
  t.tm_min = value.tm_min;
  t.tm_hour = value.tm_hour;
  t.tm_mday = value.tm_mday;
  t.tm_mon = value.tm_mon;
  t.tm_year = value.tm_year;
  return t;
}

bool same_fields(const std::tm& a, const std::tm& b) {
  return a.tm_sec == b.tm_sec && a.tm_min == b.tm_min && a.tm_hour == b.tm_hour && a.tm_mday == b.tm_mday && a.tm_mon == b.tm_mon &&
         a.tm_year == b.tm_year;
}

// The instant whose local time shows these fields with this daylight-saving flag; none if the flag does not apply then.
std::optional<core::seconds> from_local(const std::tm& fields, int is_dst) {
  std::tm t = fields;
  t.tm_isdst = is_dst;
  const std::time_t at = std::mktime(&t);
  if (at == -1 || t.tm_isdst != is_dst || !same_fields(t, fields)) return std::nullopt;
  return core::seconds{at};
}

core::seconds distance(core::seconds a, core::seconds b) { return a > b ? a - b : b - a; }

core::Error nonsense(const std::tm& t) {
  return {core::ErrorCode::invalid, "the RTC shows " + std::to_string(t.tm_year + 1900) + "-" + std::to_string(t.tm_mon + 1) + "-" +
                                        std::to_string(t.tm_mday) + ", which cannot be the time"};
}

}  // namespace

rtc_time rtc_fields(const std::tm& t) {
  rtc_time value{};
  value.tm_sec = t.tm_sec;
  value.tm_min = t.tm_min;
  value.tm_hour = t.tm_hour;
  value.tm_mday = t.tm_mday;
  value.tm_mon = t.tm_mon;
  value.tm_year = t.tm_year;
  return value;
}

core::Result<core::seconds> seconds_from_rtc(const rtc_time& value, core::RtcMode mode, core::seconds near) {
  const std::tm fields = to_tm(value);
  const int year = fields.tm_year + 1900;
  if (year < kFirstYear || year >= kEndYear) return nonsense(fields);
  std::tm check = fields;
  const std::time_t as_utc = ::timegm(&check);
  if (!same_fields(check, fields)) return nonsense(fields);  // 31 June
  if (mode == core::RtcMode::utc) return core::seconds{as_utc};
  const auto standard = from_local(fields, 0);
  const auto daylight = from_local(fields, 1);
  if (standard && daylight) return distance(*standard, near) <= distance(*daylight, near) ? *standard : *daylight;
  if (standard || daylight) return standard ? *standard : *daylight;
  std::tm skipped = fields;  // an hour that does not exist in spring: mktime moves it on
  skipped.tm_isdst = -1;
  return core::seconds{std::mktime(&skipped)};
}

core::Result<rtc_time> seconds_to_rtc(core::seconds utc, core::RtcMode mode) {
  const std::time_t at = utc.count();
  std::tm t{};
  const bool ok = mode == core::RtcMode::utc ? ::gmtime_r(&at, &t) != nullptr : ::localtime_r(&at, &t) != nullptr;
  const int year = t.tm_year + 1900;
  if (!ok || year < kFirstYear || year >= kEndYear) {
    return core::Error{core::ErrorCode::invalid, "the RTC cannot hold the time " + std::to_string(at) + " s since 1970"};
  }
  return rtc_fields(t);
}

}  // namespace clockmend::os
