// Whether a local peer belongs to a group.
#pragma once

#include <string>

#include "agent/core/ports/byte_stream.hpp"

namespace clockmend::os {

/// By the groups the peer had when it connected, and /etc/group for the number of `group`: the name services of the
/// system (getgrnam(3)) may ask a directory server, and the loop must not wait for one. Packages make their groups in that file.
[[nodiscard]] bool belongs_to(const core::PeerCredentials& peer, const std::string& group, const std::string& root = {});

}  // namespace clockmend::os
