#include "agent/os/rtc_since_epoch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>

#include "agent/os/errors.hpp"
#include "agent/os/rtc_time.hpp"

namespace clockmend::os {

void RtcSinceEpoch::open(const std::string& root, const std::string& name) {
  path_ = root + "/sys/class/rtc/" + name + "/since_epoch";
  fd_ = UniqueFd{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
}

core::Result<rtc_time> RtcSinceEpoch::read() const {
  std::array<char, 32> text{};
  const ssize_t length = ::pread(fd_.get(), text.data(), text.size(), 0);
  if (length < 0) return errno_error(errno, path_);
  std::int64_t seconds = 0;
  const char* const end = text.data() + length;
  const auto [rest, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc{} || (rest != end && *rest != '\n'))
    return core::Error{core::ErrorCode::invalid, path_ + ": not a number of seconds"};
  const std::time_t at = seconds;
  tm fields{};
  if (::gmtime_r(&at, &fields) == nullptr) return core::Error{core::ErrorCode::invalid, path_ + ": beyond any date"};
  return rtc_fields(fields);
}

}  // namespace clockmend::os
