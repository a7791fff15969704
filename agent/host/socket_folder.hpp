// The sockets of all guests, from the folder where their QEMUs put them.
#pragma once

#include <string>
#include <vector>

#include "agent/core/result.hpp"

namespace clockmend::host {

/// Unix sockets, sorted: FOLDER/*.sock, and one level below it those with the port's own name (org.clockmend.agent.0, as
/// libvirt does) or clockmend.sock. Links are not followed into folders. not_found or not_permitted where FOLDER cannot be
/// read.
[[nodiscard]] core::Result<std::vector<std::string>> sockets_in(const std::string& folder);

}  // namespace clockmend::host
