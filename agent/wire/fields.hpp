// Private to this room: reading the members of one JSON object with one shared first error.
//
// After the first error every further read returns a default, so a reader is a plain list of members and checks once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/time.hpp"
#include "agent/wire/json.hpp"

namespace clockmend::wire {

class Fields {
 public:
  /// `where` names the object in errors ("arguments", "last_correction"); `error` keeps the first one, empty: none yet.
  Fields(const Json& json, std::string where, std::string& error);

  [[nodiscard]] bool has(const char* key);
  /// Required members: missing or mistyped is an error.
  [[nodiscard]] std::string text(const char* key);
  [[nodiscard]] std::int64_t integer(const char* key);
  [[nodiscard]] std::uint64_t count(const char* key);   // >= 0
  [[nodiscard]] unsigned small_count(const char* key);  // 0..2^31-1
  [[nodiscard]] bool flag(const char* key);
  [[nodiscard]] core::nanoseconds ns(const char* key) { return core::nanoseconds(integer(key)); }
  /// Missing or null: nullopt.
  [[nodiscard]] std::optional<std::int64_t> optional_integer(const char* key);
  [[nodiscard]] std::optional<core::nanoseconds> optional_ns(const char* key);
  [[nodiscard]] bool flag_or(const char* key, bool otherwise);
  /// The member itself; nullptr after an error, and for `optional_*` when missing or null.
  [[nodiscard]] const Json* object(const char* key);
  [[nodiscard]] const Json* optional_object(const char* key);
  /// Elements of an array; empty after an error.
  [[nodiscard]] const Json& array(const char* key);

  template <typename Enum>
  [[nodiscard]] Enum name(const char* key);

  void fail(const char* key, std::string_view what);
  /// Strict readers: a member nobody asked for is an error naming it.
  void reject_unknown();
  [[nodiscard]] bool ok() const { return error_.empty(); }
  [[nodiscard]] std::string path(const char* key) const { return where_.empty() ? key : where_ + "." + key; }
  [[nodiscard]] std::string& error() { return error_; }

 private:
  [[nodiscard]] const Json* find(const char* key, bool required);

  const Json& json_;
  std::string where_;
  std::string& error_;
  std::vector<std::string_view> asked_;
};

/// The enumerator whose to_string() is `name`. Enumerators count up from 0; to_string() answers "?" (or repeats itself, for
/// two-valued enums) beyond the last.
template <typename Enum>
[[nodiscard]] std::optional<Enum> enum_named(std::string_view name) {
  std::string_view previous;
  for (int i = 0; i < 64; ++i) {
    const std::string_view candidate = to_string(static_cast<Enum>(i));
    if (candidate == "?" || candidate == previous) return std::nullopt;
    if (candidate == name) return static_cast<Enum>(i);
    previous = candidate;
  }
  return std::nullopt;
}

template <typename Enum>
Enum Fields::name(const char* key) {
  const std::string given = text(key);
  if (const auto found = enum_named<Enum>(given)) return *found;
  if (ok()) fail(key, "\"" + shortened(given) + "\" is not known here");
  return Enum{};
}

}  // namespace clockmend::wire
