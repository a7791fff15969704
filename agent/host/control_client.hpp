// One question to an agent on this machine, over its control socket: blocking, with a deadline. For the command line.
#pragma once

#include <string>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/result.hpp"
#include "agent/wire/reply.hpp"
#include "agent/wire/request.hpp"

namespace clockmend::host {

/// not_found: no agent listens there; not_permitted: not in the socket's group; timeout: no answer within `deadline`.
/// An answer that says "error" is a value (Reply::error).
[[nodiscard]] core::Result<wire::Reply> ask_agent(const std::string& socket, const wire::Request& request, core::nanoseconds deadline,
                                                  core::ClockReader& clock);

}  // namespace clockmend::host
