// Private to this room: dates, apart from the other types because their text needs a calendar.
#pragma once

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "agent/config/key_types.hpp"

namespace clockmend::config {

[[nodiscard]] inline std::string date_text(core::RealtimePoint t) {
  const auto day = std::chrono::floor<std::chrono::days>(std::chrono::sys_time<core::nanoseconds>(t.time_since_epoch()));
  const std::chrono::year_month_day date(day);
  std::array<char, 48> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return buffer.data();
}

template <typename At>
KeySpec date_key(KeyName name, At at) {
  auto set = [at](const Value& value, core::Settings& settings) -> Problem {
    const auto* date = std::get_if<core::RealtimePoint>(&value);
    if (date == nullptr) return wrong_type("a date such as 2024-01-31 or 2024-01-31T00:00:00Z, without quotes", value);
    at(settings) = *date;
    return std::nullopt;
  };
  auto show = [at](const core::Settings& settings) { return date_text(at(settings)); };
  return {name.table, name.key, "date (UTC), 1970-01-01 .. 2260-12-31", name.help, set, show};
}

}  // namespace clockmend::config
