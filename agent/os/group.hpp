// Whether a local peer belongs to a group (SO_PEERCRED tells only its primary one).
#pragma once

#include <string>

#include "agent/core/ports/byte_stream.hpp"

namespace clockmend::os {

/// By the user database (getgrouplist(3)). False if the group or the user does not exist.
[[nodiscard]] bool belongs_to(const core::PeerCredentials& peer, const std::string& group);

}  // namespace clockmend::os
