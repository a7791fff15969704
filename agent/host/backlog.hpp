// Is our connection still waiting to be accepted? A QEMU chardev serves one client; a second one connects successfully and
// hears nothing, which looks exactly like a guest without an agent.
#pragma once

#include <string_view>

namespace clockmend::host {

/// `table`: the text of /proc/net/unix (proc(5)). True if a connection to `path` waits in the listener's queue: the kernel
/// shows it in state 02 (connecting) under the listener's path. QEMU may have bound a relative path, so a name without
/// folders is compared with the last part.
[[nodiscard]] bool waits_in_backlog(std::string_view table, std::string_view path);

}  // namespace clockmend::host
