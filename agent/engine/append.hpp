// Small helpers of the engine's parts.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>

#include "agent/engine/commands.hpp"

namespace clockmend::engine {

inline void append(Commands& to, Commands from) { std::move(from.begin(), from.end(), std::back_inserter(to)); }

[[nodiscard]] inline std::string in_milliseconds(core::nanoseconds v) {
  return std::to_string(std::chrono::duration_cast<core::milliseconds>(v).count()) + " ms";
}

}  // namespace clockmend::engine
