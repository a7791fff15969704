// Private to this room: TOML text to a flat list of entries. The only place that knows the TOML library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/config/value.hpp"

namespace clockmend::config {

struct TomlFile {
  std::vector<Entry> entries;         // in the order of their lines
  std::vector<std::string> problems;  // "FILE:LINE: ..."; a syntax error ends the file
};

[[nodiscard]] TomlFile read_toml(std::string_view text, const std::string& file);

}  // namespace clockmend::config
