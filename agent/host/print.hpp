// What clockmend-host prints. Pure.
#pragma once

#include <string>

#include "agent/host/session.hpp"

namespace clockmend::host {

struct Printed {
  std::string output;  // for stdout
  std::string error;   // for stderr
};

/// JSON: one line, {"return": ...} as the agent answers clock-notify, or {"error": {"class", "desc"}}.
[[nodiscard]] Printed print_result(const NotifyResult& result, bool json);

}  // namespace clockmend::host
