// What every subcommand gets, and what it gives back: values, so that tests need no terminal and no agent.
#pragma once

#include <functional>
#include <string>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/files.hpp"
#include "agent/core/result.hpp"
#include "agent/core/settings.hpp"
#include "agent/wire/reply.hpp"
#include "agent/wire/request.hpp"

namespace clockmend::cli {

/// One question to the agent over its control socket (host::ask_agent).
using Ask = std::function<core::Result<wire::Reply>(const wire::Request& request, core::nanoseconds deadline)>;

struct Context {
  core::FileReader& files;  // sees every path below --root
  core::ClockReader& clock;
  core::Paths paths;
  Ask ask;
};

struct Output {
  int code = 0;
  std::string text;   // for stdout
  std::string error;  // for stderr
};

/// sysexits.h EX_USAGE.
inline constexpr int kUsageError = 64;
/// No agent, no status, or a status too old to be believed; for every subcommand that has exit codes.
inline constexpr int kNoAgent = 3;

}  // namespace clockmend::cli
