// One address that is asked, and what is remembered of it between rounds.
#pragma once

#include <optional>
#include <string>

#include "agent/core/ports/datagram.hpp"
#include "probes/ntp/request_budget.hpp"
#include "probes/ntp/sample.hpp"

namespace clockmend::probes::ntp {

struct Server {
  core::Endpoint endpoint;
  std::string name;  // as configured, if it was a name
  RequestBudget budget;
  std::string state = "not asked";  // ok | falseticker | unreachable: why | kod: CODE | bad reply: why | not asked: why
  std::optional<Sample> last;       // the last accepted answer
};

}  // namespace clockmend::probes::ntp
