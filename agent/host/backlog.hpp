// Is our connection still waiting to be accepted? A QEMU chardev serves one client; a second one connects successfully and
// hears nothing, which looks exactly like a guest without an agent.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/files.hpp"

namespace clockmend::host {

/// `table`: the text of /proc/net/unix (proc(5)). True if a connection to `path` waits in the listener's queue: the kernel
/// shows it in state 02 (connecting) under the listener's path. QEMU may have bound a relative path, so a name without
/// folders is compared with the last part.
[[nodiscard]] bool waits_in_backlog(std::string_view table, std::string_view path);

/// The same of the kernel's table as it is now, or was a moment ago: a thousand silent guests ask at the same time, and one look at
/// the table serves them all.
class Backlog {
 public:
  Backlog(core::FileReader& files, core::ClockReader& clock) : files_(files), clock_(clock) {}

  [[nodiscard]] bool holds(const std::string& path);

 private:
  core::FileReader& files_;
  core::ClockReader& clock_;
  std::string table_;
  core::MonotonicPoint read_at_{};
};

}  // namespace clockmend::host
