// The command line of clockmend-host.
#pragma once

#include <string>
#include <variant>

#include "agent/host/session.hpp"

namespace clockmend::host {

/// sysexits.h EX_USAGE: far from the verdicts, so that a hook can tell a typing error from a guest that refused.
inline constexpr int kUsageError = 64;

struct NotifyCommand {
  NotifyOptions notify;
  bool json = false;
};

/// Nothing to run: help, version or a mistake.
struct Finish {
  int exit_code = 0;
  std::string output;  // for stdout
  std::string error;   // for stderr
};

using Command = std::variant<NotifyCommand, Finish>;  // --domain, --all and watch will be further alternatives

/// `nonce`: random, goes into the notice's id where none is given.
[[nodiscard]] Command parse_options(int argc, const char* const* argv, std::uint64_t nonce);

}  // namespace clockmend::host
