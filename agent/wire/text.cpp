#include "agent/wire/text.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace clockmend::wire {

std::string iso8601(core::RealtimePoint t) {
  // Through whole seconds: days in nanoseconds overflow at the ends of the range.
  const auto second = std::chrono::floor<core::seconds>(t.time_since_epoch());
  const auto day = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(second));
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<core::seconds> clock(std::chrono::sys_seconds(second) - day);
  std::int64_t rest = t.time_since_epoch().count() % 1'000'000'000;
  if (rest < 0) rest += 1'000'000'000;
  const int year = static_cast<int>(date.year());
  if (year < 1 || year > 9999) return "@" + std::to_string(second.count());
  std::array<char, 80> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%09lldZ", year, static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<long long>(rest));
  return buffer.data();
}

std::string human(core::nanoseconds value, bool with_sign) {
  const double ns = static_cast<double>(value.count());
  const double size = ns < 0 ? -ns : ns;
  if (value.count() == 0) return "0 ns";
  std::array<char, 64> buffer{};
  if (size >= 1e9) {
    std::snprintf(buffer.data(), buffer.size(), with_sign ? "%+.3f s" : "%.3f s", ns / 1e9);
  } else if (size >= 1e6) {
    std::snprintf(buffer.data(), buffer.size(), with_sign ? "%+.3f ms" : "%.3f ms", ns / 1e6);
  } else if (size >= 1e3) {
    std::snprintf(buffer.data(), buffer.size(), with_sign ? "%+.3f us" : "%.3f us", ns / 1e3);
  } else {
    std::snprintf(buffer.data(), buffer.size(), with_sign ? "%+.0f ns" : "%.0f ns", ns);
  }
  return buffer.data();
}

}  // namespace clockmend::wire
