// One line of `clockmend doctor`.
#pragma once

#include <string>
#include <vector>

namespace clockmend::cli {

enum class Level { ok, warn, fail };

[[nodiscard]] constexpr const char* to_string(Level l) {
  switch (l) {
    case Level::ok:
      return "OK";
    case Level::warn:
      return "WARN";
    case Level::fail:
      return "FAIL";
  }
  return "?";
}

struct Finding {
  Level level = Level::ok;
  std::string topic;   // one word
  std::string text;    // what is so
  std::string advice;  // what to do about it; empty for ok
};

using Findings = std::vector<Finding>;

}  // namespace clockmend::cli
