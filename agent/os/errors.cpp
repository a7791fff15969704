#include "agent/os/errors.hpp"

#include <cerrno>
#include <system_error>

namespace clockmend::os {

core::ErrorCode code_of_errno(int number) {
  switch (number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return core::ErrorCode::not_found;
    case EPERM:
    case EACCES:
    case EROFS:
      return core::ErrorCode::not_permitted;
    case EBUSY:
    case EADDRINUSE:
      return core::ErrorCode::busy;
    case ETIMEDOUT:
      return core::ErrorCode::timeout;
    case ENOTTY:
    case EOPNOTSUPP:
    case ENOSYS:
    case EAFNOSUPPORT:
      return core::ErrorCode::unsupported;
    case EINVAL:
    case ELOOP:
    case ENAMETOOLONG:
      return core::ErrorCode::invalid;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case ENOTCONN:
    case EPIPE:
      return core::ErrorCode::unavailable;
    case ECANCELED:
      return core::ErrorCode::cancelled;
    default:
      return core::ErrorCode::io;
  }
}

core::Error errno_error(int number, const std::string& what) {
  return {code_of_errno(number), what + ": " + std::system_category().message(number)};
}

}  // namespace clockmend::os
