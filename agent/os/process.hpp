// This process.
#pragma once

#include <unistd.h>

#include <cstdint>

namespace clockmend::os {

[[nodiscard]] inline std::uint32_t process_id() { return static_cast<std::uint32_t>(::getpid()); }

}  // namespace clockmend::os
