// The commands notify and exchange: from the selection of guests to what is printed and the exit code.
#pragma once

#include <functional>
#include <string_view>

#include "agent/host/helper.hpp"
#include "agent/host/options.hpp"

namespace clockmend::host {

/// What the commands need from the program around them.
struct Tools {
  core::ClockReader& clock;
  Session::InBacklog in_backlog;
  Spawn libvirt;                                   // starts clockmend-host-libvirt
  std::function<void(std::string_view)> out;       // stdout
  std::function<void(std::string_view)> err;       // stderr
  std::function<void(std::string_view)> progress;  // empty: nobody watches
};

/// Blocks until every guest was visited, by the command's deadline at the latest. Returns the exit code.
[[nodiscard]] int run_visit(const VisitCommand& command, const Tools& tools);

}  // namespace clockmend::host
