#include "agent/host/duration.hpp"

#include <charconv>
#include <chrono>
#include <string>

namespace clockmend::host {

core::Result<core::nanoseconds> parse_duration(std::string_view text) {
  const core::Error bad{core::ErrorCode::invalid, "not a duration between 1ms and 1h (like 500ms, 30s, 2m): " + std::string{text}};
  constexpr core::nanoseconds kLongest = std::chrono::hours{1};
  long count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || count <= 0 || count > std::chrono::duration_cast<core::milliseconds>(kLongest).count()) return bad;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  core::nanoseconds length{};
  if (unit == "ms") {
    length = core::milliseconds{count};
  } else if (unit == "s" || unit.empty()) {
    length = core::seconds{count};
  } else if (unit == "m") {
    length = std::chrono::minutes{count};
  } else {
    return bad;
  }
  if (length > kLongest) return bad;
  return length;
}

}  // namespace clockmend::host
