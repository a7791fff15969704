// The command line of clockmend-host.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/host/fleet.hpp"
#include "agent/host/lease.hpp"

namespace clockmend::host {

/// sysexits.h EX_USAGE: far from the verdicts, so that a hook can tell a typing error from a guest that refused.
inline constexpr int kUsageError = 64;

/// Which guests, as typed.
struct Selection {
  std::vector<std::string> sockets;
  std::vector<std::string> domains;
  bool all = false;
  std::string directory;                 // where --all looks; empty: libvirt knows
  std::string uri;                       // libvirt's; empty: its default
  std::string control = kControlSocket;  // of `watch`; empty: do not ask it
};

/// notify and exchange.
struct VisitCommand {
  Visit visit;
  Selection selection;
  bool json = false;
  std::optional<core::nanoseconds> max_offset;  // exchange: more than this is Verdict::off
};

/// watch.
struct WatchCommand {
  std::string uri;
  std::string control = kControlSocket;
  std::string metrics;        // the textfile; empty: none
  std::size_t parallel = 64;  // guests visited at a time
  std::uint64_t nonce = 0;    // random, goes into the notices' ids
};

/// Nothing to run: help, version or a mistake.
struct Finish {
  int exit_code = 0;
  std::string output;  // for stdout
  std::string error;   // for stderr
};

using Command = std::variant<VisitCommand, WatchCommand, Finish>;

/// `nonce`: random, goes into the notice's id where none is given.
[[nodiscard]] Command parse_options(int argc, const char* const* argv, std::uint64_t nonce);

}  // namespace clockmend::host
