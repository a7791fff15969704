// Private to this room: one `key = value` as found in a file, and the texts values are written in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::config {

/// A TOML type that no key takes: float, time, table, mixed array.
struct OtherType {
  std::string name;
};

using Value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>, core::RealtimePoint, OtherType>;

/// "a string", "a whole number", ... for error texts.
[[nodiscard]] std::string type_name(const Value& value);

struct Entry {
  std::string file;
  std::size_t line = 0;
  std::string table;  // empty: above the first [table]
  std::string key;
  Value value;
  [[nodiscard]] std::string place() const { return file + ":" + std::to_string(line); }
  [[nodiscard]] std::string name() const { return table.empty() ? key : table + "." + key; }
};

/// "100 ms", "1.5s", "17 min": a number, optional spaces, one of ns us ms s min h d. Not negative.
[[nodiscard]] core::Result<core::nanoseconds> parse_duration(std::string_view text);
/// The same, in the largest unit that needs no fraction.
[[nodiscard]] std::string duration_text(core::nanoseconds value);

/// The candidate a typo most probably meant; nullopt if none is near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view typo, const std::vector<std::string>& candidates);

}  // namespace clockmend::config
