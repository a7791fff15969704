// Handing a descriptor to Asio without exceptions.
#pragma once

#include <asio/posix/stream_descriptor.hpp>

#include "agent/core/result.hpp"
#include "agent/os/errors.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {

/// `descriptor` owns `fd` afterwards; on failure (no memory for epoll) `fd` is closed.
[[nodiscard]] inline core::Status adopt(asio::posix::stream_descriptor& descriptor, UniqueFd fd) {
  asio::error_code ec;
  descriptor.assign(fd.get(), ec);
  if (ec) return errno_error(ec.value(), "epoll");
  (void)fd.release();
  return core::success();
}

}  // namespace clockmend::os
