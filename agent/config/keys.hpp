// Private to this room: every key there is, in one table that reads, checks and documents it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/value.hpp"
#include "agent/core/settings.hpp"

namespace clockmend::config {

struct KeySpec {
  std::string table;
  std::string key;
  std::string takes;  // type, unit and range, for people
  std::string help;
  /// Takes the value over, or says why not.
  std::function<std::optional<std::string>(const Value&, core::Settings&)> set;
  /// The value as TOML text.
  std::function<std::string(const core::Settings&)> show;
};

[[nodiscard]] const std::vector<KeySpec>& all_keys();

}  // namespace clockmend::config
