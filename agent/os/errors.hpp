// errno to core::Error, in one place.
#pragma once

#include <string>

#include "agent/core/result.hpp"

namespace clockmend::os {

/// The kernel's number as the project's code: ENOENT -> not_found, EPERM -> not_permitted, EBUSY -> busy, ...
[[nodiscard]] core::ErrorCode code_of_errno(int number);

/// "what: No such file or directory". `number` is an errno value, positive.
[[nodiscard]] core::Error errno_error(int number, const std::string& what);

}  // namespace clockmend::os
