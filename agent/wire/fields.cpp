#include "agent/wire/fields.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace clockmend::wire {
namespace {

const Json& no_elements() {
  static const Json empty = Json::array();
  return empty;
}

}  // namespace

Fields::Fields(const Json& json, std::string where, std::string& error) : json_(json), where_(std::move(where)), error_(error) {
  if (!json_.is_object() && error_.empty()) error_ = (where_.empty() ? "the text" : where_) + " must be an object";
}

void Fields::fail(const char* key, std::string_view what) {
  if (error_.empty()) error_ = path(key) + " " + std::string(what);
}

const Json* Fields::find(const char* key, bool required) {
  if (!ok()) return nullptr;
  asked_.emplace_back(key);
  const auto it = json_.find(key);
  if (it == json_.end()) {
    if (required) fail(key, "is missing");
    return nullptr;
  }
  return &*it;
}

bool Fields::has(const char* key) {
  const Json* found = find(key, false);
  return found != nullptr && !found->is_null();
}

std::string Fields::text(const char* key) {
  const Json* found = find(key, true);
  if (found == nullptr) return {};
  if (!found->is_string()) {
    fail(key, "must be a string");
    return {};
  }
  return found->get<std::string>();
}

std::int64_t Fields::integer(const char* key) {
  const Json* found = find(key, true);
  if (found == nullptr) return 0;
  if (!found->is_number_integer()) {
    fail(key, "must be a whole number");
    return 0;
  }
  return found->get<std::int64_t>();
}

std::uint64_t Fields::count(const char* key) {
  const std::int64_t value = integer(key);
  if (value < 0) fail(key, "must not be negative");
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

unsigned Fields::small_count(const char* key) {
  const std::uint64_t value = count(key);
  if (value > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) fail(key, "is too large");
  return ok() ? static_cast<unsigned>(value) : 0U;
}

bool Fields::flag(const char* key) {
  const Json* found = find(key, true);
  if (found == nullptr) return false;
  if (!found->is_boolean()) {
    fail(key, "must be true or false");
    return false;
  }
  return found->get<bool>();
}

std::optional<std::int64_t> Fields::optional_integer(const char* key) {
  if (!has(key)) return std::nullopt;
  return integer(key);
}

std::optional<core::nanoseconds> Fields::optional_ns(const char* key) {
  const auto value = optional_integer(key);
  if (!value) return std::nullopt;
  return core::nanoseconds(*value);
}

bool Fields::flag_or(const char* key, bool otherwise) { return has(key) ? flag(key) : otherwise; }

const Json* Fields::object(const char* key) {
  const Json* found = find(key, true);
  if (found != nullptr && !found->is_object()) {
    fail(key, "must be an object");
    return nullptr;
  }
  return found;
}

const Json* Fields::optional_object(const char* key) { return has(key) ? object(key) : nullptr; }

const Json& Fields::array(const char* key) {
  const Json* found = find(key, true);
  if (found != nullptr && !found->is_array()) {
    fail(key, "must be an array");
    return no_elements();
  }
  return found == nullptr ? no_elements() : *found;
}

void Fields::reject_unknown() {
  if (!ok()) return;
  for (const auto& member : json_.items()) {
    if (std::find(asked_.begin(), asked_.end(), member.key()) != asked_.end()) continue;
    error_ = (where_.empty() ? "" : where_ + ".") + shortened(member.key()) + " is not known here";
    return;
  }
}

}  // namespace clockmend::wire
