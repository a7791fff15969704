#include "agent/config/value.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace clockmend::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};

constexpr std::array<Unit, 7> kUnits{{{"ns", 1},
                                      {"us", 1'000},
                                      {"ms", 1'000'000},
                                      {"s", 1'000'000'000},
                                      {"min", 60'000'000'000},
                                      {"h", 3'600'000'000'000},
                                      {"d", 86'400'000'000'000}}};

core::Error bad(std::string_view text, const std::string& why) {
  return {core::ErrorCode::invalid, "\"" + std::string(text.substr(0, 40)) + "\" " + why};
}

bool digit(char c) { return c >= '0' && c <= '9'; }

/// "12.5" as 12.5 * unit, exactly; nullopt when it does not fit or is finer than a nanosecond.
std::optional<std::int64_t> scaled(std::string_view whole, std::string_view fraction, std::int64_t unit) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  std::int64_t total = 0;
  for (const char c : whole) {
    const std::int64_t next = c - '0';
    if (total > (kMax - next) / 10) return std::nullopt;
    total = total * 10 + next;
  }
  if (total > kMax / unit) return std::nullopt;
  total *= unit;
  std::int64_t share = unit;
  for (const char c : fraction) {
    if (share % 10 != 0) {
      if (c == '0') continue;
      return std::nullopt;
    }
    share /= 10;
    const std::int64_t part = share * (c - '0');
    if (total > kMax - part) return std::nullopt;
    total += part;
  }
  return total;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + change});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string type_name(const Value& value) {
  struct Namer {
    std::string operator()(bool) const { return "true or false"; }
    std::string operator()(std::int64_t) const { return "a whole number"; }
    std::string operator()(const std::string&) const { return "a string"; }
    std::string operator()(const std::vector<std::string>&) const { return "a list of strings"; }
    std::string operator()(core::RealtimePoint) const { return "a date"; }
    std::string operator()(const OtherType& other) const { return other.name; }
  };
  return std::visit(Namer{}, value);
}

core::Result<core::nanoseconds> parse_duration(std::string_view text) {
  const auto number_end = std::find_if(text.begin(), text.end(), [](char c) { return !digit(c) && c != '.'; });
  const std::string_view number = text.substr(0, static_cast<std::size_t>(number_end - text.begin()));
  std::string_view unit = text.substr(number.size());
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  const std::size_t dot = number.find('.');
  const std::string_view whole = number.substr(0, dot);
  const std::string_view fraction = dot == std::string_view::npos ? std::string_view{} : number.substr(dot + 1);
  const bool well_formed =
      !whole.empty() && fraction.find('.') == std::string_view::npos && (dot == std::string_view::npos || !fraction.empty());
  if (!well_formed) return bad(text, "is not a duration such as \"100 ms\"");
  if (unit.empty()) return bad(text, "has no unit: write for example \"" + std::string(number) + " ms\"");
  const auto known = std::find_if(kUnits.begin(), kUnits.end(), [unit](const Unit& u) { return u.name == unit; });
  if (known == kUnits.end()) return bad(text, "has an unknown unit; known are ns us ms s min h d");
  const auto ns = scaled(whole, fraction, known->ns);
  if (!ns) return bad(text, "is too large or finer than 1 ns");
  return core::nanoseconds(*ns);
}

std::string duration_text(core::nanoseconds value) {
  if (value.count() == 0) return "0 s";
  for (auto unit = kUnits.rbegin(); unit != kUnits.rend(); ++unit) {
    if (value.count() % unit->ns == 0) return std::to_string(value.count() / unit->ns) + " " + std::string(unit->name);
  }
  return std::to_string(value.count()) + " ns";
}

std::optional<std::string> nearest(std::string_view typo, const std::vector<std::string>& candidates) {
  if (typo.size() > 64) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, typo.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(typo, candidate);
    if (distance >= best_distance || distance >= candidate.size()) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

}  // namespace clockmend::config
