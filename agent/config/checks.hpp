// Private to this room: keys that are right each but not together.
#pragma once

#include <string>
#include <vector>

#include "agent/core/settings.hpp"

namespace clockmend::config {

struct Contradiction {
  std::string first;   // TABLE.KEY
  std::string second;  // the key it contradicts
  std::string why;
};

[[nodiscard]] std::vector<Contradiction> contradictions(const core::Settings& settings);

}  // namespace clockmend::config
