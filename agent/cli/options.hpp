// The command line of clockmend.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "agent/cli/context.hpp"
#include "agent/core/backend.hpp"
#include "agent/core/time.hpp"

namespace clockmend::cli {

struct StatusCommand {
  bool json = false;
  bool check = false;
};

struct ResyncCommand {
  bool dry_run = false;
  bool force = false;
  bool json = false;
  core::nanoseconds deadline = core::seconds{60};
  std::optional<core::StepBackend> backend{};
};

struct HistoryCommand {
  std::size_t records = 20;
  bool json = false;
  bool full = false;
};

struct DoctorCommand {};

using Command = std::variant<StatusCommand, ResyncCommand, HistoryCommand, DoctorCommand>;

struct Options {
  std::string root;
  std::variant<Command, Output> command;  // Output: help, version or a mistake; nothing to run
};

[[nodiscard]] Options parse_options(int argc, const char* const* argv);

}  // namespace clockmend::cli
