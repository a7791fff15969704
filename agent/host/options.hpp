// The command line of clockmend-host.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/host/fleet.hpp"

namespace clockmend::host {

/// sysexits.h EX_USAGE: far from the verdicts, so that a hook can tell a typing error from a guest that refused.
inline constexpr int kUsageError = 64;

/// Which guests, as typed.
struct Selection {
  std::vector<std::string> sockets;
  bool all = false;
  std::string directory;  // where --all looks
};

/// notify and exchange.
struct VisitCommand {
  Visit visit;
  Selection selection;
  bool json = false;
  std::optional<core::nanoseconds> max_offset;  // exchange: more than this is Verdict::off
};

/// Nothing to run: help, version or a mistake.
struct Finish {
  int exit_code = 0;
  std::string output;  // for stdout
  std::string error;   // for stderr
};

using Command = std::variant<VisitCommand, Finish>;

/// `nonce`: random, goes into the notice's id where none is given.
[[nodiscard]] Command parse_options(int argc, const char* const* argv, std::uint64_t nonce);

}  // namespace clockmend::host
